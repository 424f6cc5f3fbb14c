import { useEffect, useRef, useState } from "preact/hooks";
import { type RowWindow, sliceRows } from "../layout/row-window.ts";

/** A scrolling element and the rows in sight. */
export interface VirtualRows extends RowWindow {
  readonly scroller: { current: HTMLDivElement | null };
}

/** The rows of a long table that need to be in the document. */
export function useVirtualRows(rowCount: number, rowHeightPx: number): VirtualRows {
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ topPx: 0, heightPx: 600 });
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const read = (): void => setView({ topPx: element.scrollTop, heightPx: element.clientHeight });
    const resizes = new ResizeObserver(read);
    resizes.observe(element);
    element.addEventListener("scroll", read, { passive: true });
    return () => {
      resizes.disconnect();
      element.removeEventListener("scroll", read);
    };
  }, []);
  return { scroller, ...sliceRows(rowCount, rowHeightPx, view) };
}
