import type { VNode } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { FlameGraphCanvas } from "../draw/flame-graph-canvas.ts";
import type { Skin } from "../draw/skin.ts";
import { type FlameGraph, type FlameNode, listAncestors, NO_NODE } from "../layout/flame-graph.ts";
import { findNextMatch, type NameMatch } from "../layout/frame-search.ts";
import { findFocus, formatFocusPath } from "../state/focus-path.ts";
import { useView } from "./app-context.ts";
import { FlameTooltip, type FrameFacts } from "./flame-tooltip.tsx";

interface FlamePanelProps {
  readonly graph: FlameGraph;
  readonly skin: Skin;
  readonly match: NameMatch | undefined;
  readonly describe: (node: FlameNode) => FrameFacts;
}

interface Hover {
  readonly node: FlameNode;
  readonly place: { readonly x: number; readonly y: number };
}

const NO_HOVER: Hover = { node: NO_NODE, place: { x: 0, y: 0 } };

/** A flame graph with the path to its focused frame, a tooltip, and the selected frame in words. */
export function FlamePanel({ graph, skin, match, describe }: FlamePanelProps): VNode {
  const [view, go] = useView();
  const [hover, setHover] = useState<Hover>(NO_HOVER);
  const [said, setSaid] = useState("");
  const focus = useMemo(() => findFocus(graph, view.path), [graph, view.path]);
  const focusOn = (node: FlameNode): void => {
    setHover(NO_HOVER);
    go({ path: formatFocusPath(graph, node) });
  };
  const host = useFlameCanvas(
    { graph, skin, match, focus: focus.node },
    {
      onHover: (node, place) => setHover({ node, place }),
      onSelect: (node) => setSaid(describe(node).summary),
      onFocus: focusOn,
    },
  );
  return (
    <div class="flame">
      <Breadcrumbs graph={graph} focus={focus.node} onFocus={focusOn} />
      {!focus.isExact && (
        <p class="notice">
          The frame that this link focuses is not in this data; the nearest frame above it is shown.
        </p>
      )}
      <div class="flame-scroller" ref={host.scroller}>
        <div class="flame-sheet" ref={host.sheet}>
          {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: the canvas handles arrow keys itself, which is what this role tells a screen reader */}
          <canvas
            ref={host.canvas}
            class="flame-canvas"
            tabIndex={0}
            role="application"
            aria-roledescription="flame graph"
            aria-label="Flame graph. Arrow keys move between frames, Enter focuses, Backspace goes up, Escape shows everything."
          />
          <div class="flame-box flame-box-hover" ref={host.hoverBox} hidden />
          <div class="flame-box flame-box-selection" ref={host.selectionBox} hidden />
        </div>
      </div>
      <div class="flame-status" aria-live="polite">
        {said}
      </div>
      {hover.node !== NO_NODE && hover.node < graph.length && (
        <FlameTooltip facts={describe(hover.node)} place={hover.place} />
      )}
    </div>
  );
}

interface FlameCanvasHost {
  readonly scroller: { current: HTMLDivElement | null };
  readonly sheet: { current: HTMLDivElement | null };
  readonly canvas: { current: HTMLCanvasElement | null };
  readonly hoverBox: { current: HTMLDivElement | null };
  readonly selectionBox: { current: HTMLDivElement | null };
}

interface FlameCanvasListener {
  readonly onHover: (node: FlameNode, place: { readonly x: number; readonly y: number }) => void;
  readonly onSelect: (node: FlameNode) => void;
  readonly onFocus: (node: FlameNode) => void;
}

interface FlamePicture {
  readonly graph: FlameGraph;
  readonly skin: Skin;
  readonly match: NameMatch | undefined;
  readonly focus: FlameNode;
}

function useFlameCanvas(picture: FlamePicture, listener: FlameCanvasListener): FlameCanvasHost {
  const host: FlameCanvasHost = {
    scroller: useRef<HTMLDivElement>(null),
    sheet: useRef<HTMLDivElement>(null),
    canvas: useRef<HTMLCanvasElement>(null),
    hoverBox: useRef<HTMLDivElement>(null),
    selectionBox: useRef<HTMLDivElement>(null),
  };
  const drawing = useRef<FlameGraphCanvas | undefined>(undefined);
  const latest = useRef({ picture, listener });
  latest.current = { picture, listener };
  useEffect(() => {
    const scroller = host.scroller.current;
    const sheet = host.sheet.current;
    const canvas = host.canvas.current;
    const hoverBox = host.hoverBox.current;
    const selectionBox = host.selectionBox.current;
    if (scroller === null || sheet === null || canvas === null || hoverBox === null || selectionBox === null)
      return;
    const made = new FlameGraphCanvas(
      { scroller, sheet, canvas, hoverBox, selectionBox },
      {
        onHover: (node, place) => latest.current.listener.onHover(node, place),
        onSelect: (node) => latest.current.listener.onSelect(node),
        onFocus: (node) => latest.current.listener.onFocus(node),
        onNextMatch: (step) => {
          const { graph, match } = latest.current.picture;
          const next = match === undefined ? NO_NODE : findNextMatch(graph, match, made.selection, step);
          if (next !== NO_NODE) made.select(next);
        },
      },
    );
    drawing.current = made;
    return () => made.close();
  }, []);
  const { graph, skin, match, focus } = picture;
  useEffect(() => drawing.current?.show({ graph, skin, match, focus }), [graph, skin, match, focus]);
  return host;
}

interface BreadcrumbsProps {
  readonly graph: FlameGraph;
  readonly focus: FlameNode;
  readonly onFocus: (node: FlameNode) => void;
}

// The root and the last few: the middle of a deep stack can be reached by the flame graph itself.
const SHOWN_TAIL_COUNT = 6;

function Breadcrumbs({ graph, focus, onFocus }: BreadcrumbsProps): VNode {
  const chain = listAncestors(graph, focus);
  const tail = chain.slice(Math.max(1, chain.length - SHOWN_TAIL_COUNT));
  const hiddenCount = chain.length - 1 - tail.length;
  return (
    <nav class="breadcrumbs" aria-label="Focused stack">
      <button type="button" class="crumb" onClick={() => onFocus(0)} disabled={focus === 0}>
        All
      </button>
      {hiddenCount > 0 && <span class="crumb-gap">› … {hiddenCount} more</span>}
      {tail.map((node) => (
        <span key={node} class="crumb-step">
          <span aria-hidden="true">›</span>
          <button
            type="button"
            class="crumb"
            aria-current={node === focus ? "location" : undefined}
            onClick={() => onFocus(node)}
          >
            {graph.names[graph.name[node] ?? 0]}
          </button>
        </span>
      ))}
    </nav>
  );
}
