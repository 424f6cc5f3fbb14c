/** Which rows of a long table are drawn, and how high what stands above and below them is. */
export interface RowWindow {
  /** First row drawn, and one past the last. */
  readonly first: number;
  readonly end: number;
  readonly abovePx: number;
  readonly belowPx: number;
}

// Rows beyond the edge that are drawn already, so that scrolling shows no gap before the next frame.
const OVERSCAN_ROWS = 12;

/** The rows in sight when a table of `rowCount` equal rows is scrolled to `topPx`. */
export function sliceRows(
  rowCount: number,
  rowHeightPx: number,
  view: { readonly topPx: number; readonly heightPx: number },
): RowWindow {
  const first = Math.max(0, Math.min(rowCount, Math.floor(view.topPx / rowHeightPx)) - OVERSCAN_ROWS);
  const end = Math.min(rowCount, Math.ceil((view.topPx + view.heightPx) / rowHeightPx) + OVERSCAN_ROWS);
  return { first, end, abovePx: first * rowHeightPx, belowPx: Math.max(0, rowCount - end) * rowHeightPx };
}
