/** Which spans have profiles: `root` the first span of each trace in this process, `all` every span. */
export type SpanScope = "root" | "all";

/** Options of the span processor. Every one can be left out. */
export interface PyroscopeSpanProcessorOptions {
  /**
   * Which spans have profiles. With `root` (the default), samples under a child carry the id and name of its local root:
   * the first span of the trace in this process, whose parent is none or in another process. With `all` they carry those
   * of the innermost active span.
   */
  readonly spanScope?: SpanScope | undefined;
  /** Samples carry the span's name as the label `span_name`; `true` by default. */
  readonly spanName?: boolean | undefined;
  /**
   * Samples carry `trace_id`; `true` by default. Servers that do not know it (Pyroscope before it had trace ids) take it
   * for an ordinary label, and each trace becomes a series: set it to `false` there.
   */
  readonly traceId?: boolean | undefined;
  /** Also spans that are recorded but not sampled, so that no trace has them; `false` by default. */
  readonly unsampledSpans?: boolean | undefined;
}

/** The options with their defaults. */
export interface ResolvedOptions {
  readonly spanScope: SpanScope;
  readonly spanName: boolean;
  readonly traceId: boolean;
  readonly unsampledSpans: boolean;
}

const DEFAULTS: ResolvedOptions = { spanScope: "root", spanName: true, traceId: true, unsampledSpans: false };

const SPAN_SCOPES: readonly unknown[] = ["root", "all"];

/** A value that is not accepted is handed to `warn` in one line, and the default counts. */
export function resolveOptions(
  options: PyroscopeSpanProcessorOptions | undefined,
  warn: (message: string) => void,
): ResolvedOptions {
  const pick = <K extends keyof ResolvedOptions>(key: K): ResolvedOptions[K] => {
    const value: unknown = options?.[key];
    if (value === undefined) return DEFAULTS[key];
    if (key === "spanScope" ? SPAN_SCOPES.includes(value) : typeof value === "boolean") {
      // Checked by the line above.
      return value as ResolvedOptions[K];
    }
    const expected = key === "spanScope" ? '"root" or "all"' : "true or false";
    warn(`PyroscopeSpanProcessor: ${key}=${describe(value)} ignored: expected ${expected}`);
    return DEFAULTS[key];
  };
  return {
    spanScope: pick("spanScope"),
    spanName: pick("spanName"),
    traceId: pick("traceId"),
    unsampledSpans: pick("unsampledSpans"),
  };
}

function describe(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 100)) : typeof value;
}
