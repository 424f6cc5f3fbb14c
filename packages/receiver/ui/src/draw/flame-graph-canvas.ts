import { shortenFrame } from "../format/format-frame.ts";
import {
  type FlameGraph,
  type FlameNode,
  findNodeAt,
  findSibling,
  findWidestChild,
  measureDepth,
  NO_NODE,
} from "../layout/flame-graph.ts";
import type { NameMatch } from "../layout/frame-search.ts";
import { chooseTextColour } from "./colour.ts";
import { fitName, paintFlameGraph, type Viewport } from "./flame-graph-painter.ts";
import type { Skin } from "./skin.ts";

// In CSS pixels, as all sizes here.
const ROW_HEIGHT_PX = 20;
const FONT_PX = 12;
const LABEL_PADDING_PX = 5;
const LABEL_MIN_PX = 32;
const FONT_FAMILY = "ui-monospace, SFMono-Regular, Menlo, 'DejaVu Sans Mono', 'Liberation Mono', monospace";

/** What a flame graph shows. */
export interface Picture {
  readonly graph: FlameGraph;
  readonly skin: Skin;
  readonly match: NameMatch | undefined;
  /** The frame that fills the width. */
  readonly focus: FlameNode;
}

/** What a flame graph tells its page. */
export interface FlameGraphListener {
  /** The pointer is over `node`, at a place in the window, or over none. */
  readonly onHover: (node: FlameNode, place: { readonly x: number; readonly y: number }) => void;
  /** The keyboard moved to `node`. */
  readonly onSelect: (node: FlameNode) => void;
  /** The reader wants `node` to fill the width. */
  readonly onFocus: (node: FlameNode) => void;
  /** Keys `n` and `N`. */
  readonly onNextMatch: (step: 1 | -1) => void;
}

/** The elements that a flame graph lives in: `scroller` scrolls `sheet`, in which `canvas` stays at the top. */
export interface FlameGraphElements {
  readonly scroller: HTMLElement;
  readonly sheet: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly hoverBox: HTMLElement;
  readonly selectionBox: HTMLElement;
}

/**
 * Draws one flame graph and answers pointer and keys.
 *
 * Only the rows in sight are painted, so depth costs nothing; hover and selection are boxes over the canvas, so moving
 * the pointer repaints nothing.
 */
export class FlameGraphCanvas {
  readonly #elements: FlameGraphElements;
  readonly #listener: FlameGraphListener;
  readonly #abort = new AbortController();
  readonly #resizes: ResizeObserver;
  #picture: Picture | undefined;
  #hover: FlameNode = NO_NODE;
  #selection: FlameNode = 0;
  // Levels that the focused part reaches: below them there is nothing to scroll to.
  #depth = 0;
  #image: ImageData | undefined;
  #frameRequest = 0;

  constructor(elements: FlameGraphElements, listener: FlameGraphListener) {
    this.#elements = elements;
    this.#listener = listener;
    const { signal } = this.#abort;
    const { canvas, scroller } = elements;
    canvas.addEventListener("click", (event) => this.#click(event), { signal });
    canvas.addEventListener("pointermove", (event) => this.#move(event), { signal });
    canvas.addEventListener("pointerleave", () => this.#leave(), { signal });
    canvas.addEventListener("keydown", (event) => this.#press(event), { signal });
    scroller.addEventListener("scroll", () => this.#schedule(), { signal, passive: true });
    this.#resizes = new ResizeObserver(() => this.#schedule());
    this.#resizes.observe(scroller);
  }

  /** Shows a picture. The selection stays when the graph does. */
  show(picture: Picture): void {
    const before = this.#picture;
    this.#picture = picture;
    if (before?.graph !== picture.graph) {
      this.#hover = NO_NODE;
      this.#selection = picture.focus;
    }
    if (before?.graph !== picture.graph || before.focus !== picture.focus) {
      this.#depth = measureDepth(picture.graph, picture.focus);
      this.#elements.sheet.style.height = `${this.#depth * ROW_HEIGHT_PX}px`;
    }
    if (before?.focus !== picture.focus) {
      this.#selection = picture.focus;
      this.#reveal(picture.focus);
    }
    this.#schedule();
  }

  /** Moves the selection to `node` and scrolls it into view. */
  select(node: FlameNode): void {
    this.#selection = node;
    this.#reveal(node);
    this.#schedule();
    this.#listener.onSelect(node);
  }

  /** The frame that keys act on. */
  get selection(): FlameNode {
    return this.#selection;
  }

  /** Stops listening; the elements stay. */
  close(): void {
    this.#abort.abort();
    this.#resizes.disconnect();
    cancelAnimationFrame(this.#frameRequest);
  }

  #schedule(): void {
    cancelAnimationFrame(this.#frameRequest);
    this.#frameRequest = requestAnimationFrame(() => this.#paint());
  }

  #viewport(picture: Picture, ratio: number): Viewport {
    const { scroller, sheet } = this.#elements;
    const { graph, focus } = picture;
    const from = graph.start[focus] ?? 0;
    const heightPx = Math.min(scroller.clientHeight, this.#depth * ROW_HEIGHT_PX);
    return {
      from,
      until: from + (graph.width[focus] ?? 0),
      widthPx: Math.max(1, Math.floor(sheet.clientWidth * ratio)),
      heightPx: Math.max(1, Math.floor(heightPx * ratio)),
      rowPx: ROW_HEIGHT_PX * ratio,
      scrollPx: scroller.scrollTop * ratio,
    };
  }

  #paint(): void {
    const picture = this.#picture;
    const { canvas } = this.#elements;
    const context = canvas.getContext("2d", { alpha: false });
    if (picture === undefined || context === null) return;
    const ratio = window.devicePixelRatio || 1;
    const viewport = this.#viewport(picture, ratio);
    if (canvas.width !== viewport.widthPx || canvas.height !== viewport.heightPx) {
      canvas.width = viewport.widthPx;
      canvas.height = viewport.heightPx;
      canvas.style.width = `${viewport.widthPx / ratio}px`;
      canvas.style.height = `${viewport.heightPx / ratio}px`;
      this.#image = undefined;
    }
    this.#image ??= context.createImageData(viewport.widthPx, viewport.heightPx);
    const labels = paintFlameGraph(
      new Uint32Array(this.#image.data.buffer),
      picture.graph,
      viewport,
      picture.skin,
      {
        match: picture.match,
        labelPx: LABEL_MIN_PX * ratio,
      },
    );
    context.putImageData(this.#image, 0, 0);
    this.#write(context, labels, picture, ratio);
    this.#place(this.#elements.hoverBox, this.#hover);
    this.#place(this.#elements.selectionBox, this.#selection);
  }

  #write(
    context: CanvasRenderingContext2D,
    labels: ReturnType<typeof paintFlameGraph>,
    { graph, skin, match }: Picture,
    ratio: number,
  ): void {
    context.font = `${FONT_PX * ratio}px ${FONT_FAMILY}`;
    context.textBaseline = "middle";
    const characterPx = context.measureText("0000000000").width / 10;
    const textColours = skin.colours.map(chooseTextColour);
    for (const { node, x, y, widthPx } of labels) {
      const nameIndex = graph.name[node]!;
      const text = fitName(
        shortenFrame(graph.names[nameIndex]!),
        widthPx - 2 * LABEL_PADDING_PX * ratio,
        characterPx,
      );
      if (text === "") continue;
      const isDim = match !== undefined && match.isMatch[nameIndex] === 0;
      context.fillStyle = isDim ? skin.dimText : textColours[skin.fill[node]!]!;
      context.fillText(text, x + LABEL_PADDING_PX * ratio, y + ((ROW_HEIGHT_PX - 1) * ratio) / 2);
    }
  }

  #place(box: HTMLElement, node: FlameNode): void {
    const picture = this.#picture;
    if (picture === undefined || node === NO_NODE || node >= picture.graph.length) {
      box.hidden = true;
      return;
    }
    const { from, until, widthPx } = this.#viewport(picture, 1);
    const perValue = widthPx / (until - from);
    const start = picture.graph.start[node]!;
    const left = Math.max(0, (start - from) * perValue);
    const right = Math.min(widthPx, (start + picture.graph.width[node]! - from) * perValue);
    box.hidden = !(right > left);
    box.style.transform = `translate(${left}px, ${picture.graph.level[node]! * ROW_HEIGHT_PX}px)`;
    box.style.width = `${Math.max(2, right - left)}px`;
    box.style.height = `${ROW_HEIGHT_PX - 1}px`;
  }

  #nodeUnder(event: MouseEvent): FlameNode {
    const picture = this.#picture;
    if (picture === undefined) return NO_NODE;
    const { from, until, widthPx } = this.#viewport(picture, 1);
    const level = Math.floor((event.offsetY + this.#elements.scroller.scrollTop) / ROW_HEIGHT_PX);
    return findNodeAt(picture.graph, level, from + (event.offsetX * (until - from)) / widthPx);
  }

  #click(event: MouseEvent): void {
    const node = this.#nodeUnder(event);
    if (node !== NO_NODE) this.#listener.onFocus(node);
  }

  #move(event: PointerEvent): void {
    const node = this.#nodeUnder(event);
    if (node !== this.#hover) {
      this.#hover = node;
      this.#place(this.#elements.hoverBox, node);
    }
    this.#listener.onHover(node, { x: event.clientX, y: event.clientY });
  }

  #leave(): void {
    this.#hover = NO_NODE;
    this.#place(this.#elements.hoverBox, NO_NODE);
    this.#listener.onHover(NO_NODE, { x: 0, y: 0 });
  }

  #reveal(node: FlameNode): void {
    const { scroller } = this.#elements;
    const top = (this.#picture?.graph.level[node] ?? 0) * ROW_HEIGHT_PX;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    const bottom = top + ROW_HEIGHT_PX;
    if (bottom > scroller.scrollTop + scroller.clientHeight) {
      scroller.scrollTop = bottom - scroller.clientHeight;
    }
  }

  #press(event: KeyboardEvent): void {
    const picture = this.#picture;
    if (picture === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const { graph } = picture;
    const act: Readonly<Record<string, () => void>> = {
      ArrowDown: () => this.#step(findWidestChild(graph, this.#selection)),
      ArrowUp: () => this.#step(graph.parent[this.#selection]!),
      ArrowLeft: () => this.#step(findSibling(graph, this.#selection, -1)),
      ArrowRight: () => this.#step(findSibling(graph, this.#selection, 1)),
      Home: () => this.#step(0),
      Enter: () => this.#listener.onFocus(this.#selection),
      Backspace: () => this.#listener.onFocus(Math.max(0, graph.parent[picture.focus]!)),
      Escape: () => this.#listener.onFocus(0),
      n: () => this.#listener.onNextMatch(1),
      N: () => this.#listener.onNextMatch(-1),
    };
    const action = act[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  }

  #step(node: FlameNode): void {
    if (node !== NO_NODE) this.select(node);
  }
}
