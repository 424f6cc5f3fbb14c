/** The pages of the application. */
export type Page = "overview" | "flame" | "spans" | "diff";
/** What stands beside what on a profile's page. */
export type Pane = "both" | "flame" | "table";
/** How the two sides of a diff are made comparable. */
export type Norm = "share" | "rate" | "absolute";
/** Colours of slower and faster. */
export type Palette = "red-green" | "blue-orange";
/** Which rows of the change table are shown. */
export type ChangeFilter = "all" | "new" | "gone" | "grew" | "shrank";
/** What a function is measured by: its own value, or with its callees. */
export type Measure = "self" | "total";
/** Columns that the top table can be sorted by; `-` sorts downwards. */
export type TopSort = "-self" | "self" | "-total" | "total" | "name" | "-name";

/**
 * Everything that a page shows, and nothing else: the URL is the store. Empty text means "not chosen", and for the
 * sides of a diff "as the page".
 */
export interface ViewState {
  readonly page: Page;
  /** Label selector in braces. */
  readonly query: string;
  /** Profile type id. */
  readonly type: string;
  readonly from: string;
  readonly until: string;
  /** 0 is off. */
  readonly refreshSeconds: number;
  /** Label that the timeline is split by. */
  readonly groupBy: string;
  readonly pane: Pane;
  readonly search: string;
  /** Focused stack; see `focus-path.ts`. */
  readonly path: string;
  /** Trace whose spans are listed; empty: those of every trace. */
  readonly traceId: string;
  /** Span that is shown beside its service. */
  readonly spanId: string;
  /** Function that spans are looked for behind; empty: any. */
  readonly functionName: string;
  readonly lines: boolean;
  readonly sort: TopSort;
  readonly palette: Palette;
  readonly norm: Norm;
  readonly changes: ChangeFilter;
  readonly measure: Measure;
  readonly leftQuery: string;
  readonly leftFrom: string;
  readonly leftUntil: string;
  readonly rightQuery: string;
  readonly rightFrom: string;
  readonly rightUntil: string;
}

interface ParamCodec<T> {
  readonly param: string;
  readonly fallback: T;
  /** undefined: not a value of this parameter, the fallback stands. */
  readonly parse: (text: string) => T | undefined;
  readonly format: (value: T) => string;
}

// Longer than any sensible selector or search; keeps a hostile link from filling the page.
const MAX_TEXT_LENGTH = 4096;

function textParam(param: string, fallback = ""): ParamCodec<string> {
  return {
    param,
    fallback,
    parse: (text) => (text.length <= MAX_TEXT_LENGTH ? text : undefined),
    format: (value) => value,
  };
}

function choiceParam<T extends string>(param: string, choices: readonly [T, ...T[]]): ParamCodec<T> {
  return {
    param,
    fallback: choices[0],
    parse: (text) => choices.find((choice) => choice === text),
    format: (value) => value,
  };
}

// One row for each field of ViewState: the compiler rejects a missing row.
const PARAMS: { readonly [K in keyof ViewState]: ParamCodec<ViewState[K]> } = {
  page: choiceParam<Page>("page", ["overview", "flame", "spans", "diff"]),
  query: textParam("q"),
  type: textParam("t"),
  from: textParam("from", "now-1h"),
  until: textParam("until", "now"),
  refreshSeconds: {
    param: "refresh",
    fallback: 0,
    parse: (text) => (/^\d{1,4}$/.test(text) ? Number(text) : undefined),
    format: String,
  },
  groupBy: textParam("by"),
  pane: choiceParam<Pane>("v", ["both", "flame", "table"]),
  search: textParam("s"),
  path: textParam("path"),
  traceId: textParam("trace_id"),
  spanId: textParam("span_id"),
  functionName: textParam("fn"),
  lines: {
    param: "lines",
    fallback: false,
    parse: (text) => text === "1",
    format: (value) => (value ? "1" : "0"),
  },
  sort: choiceParam<TopSort>("sort", ["-self", "self", "-total", "total", "name", "-name"]),
  palette: choiceParam<Palette>("pal", ["red-green", "blue-orange"]),
  norm: choiceParam<Norm>("norm", ["share", "rate", "absolute"]),
  changes: choiceParam<ChangeFilter>("changes", ["all", "new", "gone", "grew", "shrank"]),
  measure: choiceParam<Measure>("by-value", ["self", "total"]),
  leftQuery: textParam("a.q"),
  leftFrom: textParam("a.from"),
  leftUntil: textParam("a.until"),
  rightQuery: textParam("b.q"),
  rightFrom: textParam("b.from"),
  rightUntil: textParam("b.until"),
};

const FIELDS: readonly (keyof ViewState)[] = Object.keys(PARAMS) as (keyof ViewState)[];

/** The view that a query string describes. Unknown parameters are ignored, broken ones fall back. */
export function parseViewState(search: string): ViewState {
  const params = new URLSearchParams(search);
  const read = <K extends keyof ViewState>(field: K): ViewState[K] => {
    const codec: ParamCodec<ViewState[K]> = PARAMS[field];
    const text = params.get(codec.param);
    if (text === null) return codec.fallback;
    return codec.parse(text) ?? codec.fallback;
  };
  const entries = FIELDS.map((field) => [field, read(field)] as const);
  // FIELDS holds every key of ViewState, and `read` gives each its own type.
  const view = Object.fromEntries(entries) as unknown as ViewState;
  // What tracing programs link to: the ids say which page is meant.
  const hasIds = view.traceId !== "" || view.spanId !== "";
  return hasIds ? { ...view, page: "spans" } : view;
}

/** What leaves the spans behind, on the way to a page that has none. */
export const NO_SPAN: Pick<ViewState, "traceId" | "spanId" | "functionName"> = {
  traceId: "",
  spanId: "",
  functionName: "",
};

/** The query string of a view, `?` included; fields at their fallback are left out. */
export function formatViewState(view: ViewState): string {
  const params = new URLSearchParams();
  const write = <K extends keyof ViewState>(field: K): void => {
    const codec: ParamCodec<ViewState[K]> = PARAMS[field];
    const value = view[field];
    if (value !== codec.fallback) params.set(codec.param, codec.format(value));
  };
  for (const field of FIELDS) write(field);
  const text = params.toString();
  return text === "" ? "?" : `?${text}`;
}

// Typing and sorting would fill the history with steps nobody wants to go back to.
const REPLACING: ReadonlySet<keyof ViewState> = new Set<keyof ViewState>([
  "search",
  "sort",
  "palette",
  "refreshSeconds",
]);

/** Whether going from `before` to `after` is a step that the back button undoes. */
export function isHistoryStep(before: ViewState, after: ViewState): boolean {
  return FIELDS.some((field) => before[field] !== after[field] && !REPLACING.has(field));
}
