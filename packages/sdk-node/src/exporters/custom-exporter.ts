import { describeError, SdkError } from "../errors.ts";
import type { ExportResult, NamedExporter, ProfileUpload, RetryAdvice } from "./exporter.ts";

/**
 * An exporter of the program's own, for the option `exporters`. It runs in the thread that is profiled, and is given one
 * upload at a time, oldest first, each as it was encoded for the server.
 *
 *     const archive = { name: "archive", export: async ({ profiles }) => { for (const { pprof } of profiles) await put(pprof); } };
 */
export interface CustomExporter {
  /** What status() calls it; `custom` without a name. */
  readonly name?: string | undefined;
  /**
   * Takes an upload; what it returns is success, unless it is an {@link ExportResult} that says otherwise. What it throws is a
   * failure: the same upload comes again, at most eight times. It fails too when `signal` is aborted before it is done.
   */
  export(upload: ProfileUpload, signal: AbortSignal): unknown;
  /** Takes an upload when the program ends: synchronous, because nothing asynchronous runs any more. */
  exportAtExit?(upload: ProfileUpload): void;
  /** Called once, when the run has stopped. */
  shutdown?(): unknown;
}

/** True for what {@link adaptExporter} takes. */
export function isCustomExporter(value: unknown): value is CustomExporter {
  return (
    typeof value === "object" && value !== null && "export" in value && typeof value.export === "function"
  );
}

/** A {@link CustomExporter} that keeps the contract of the others, whatever it does. */
export function adaptExporter(custom: CustomExporter): NamedExporter {
  return {
    name: typeof custom.name === "string" && custom.name !== "" ? custom.name : "custom",
    async export(upload, signal) {
      const aborted = new Promise<never>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
      try {
        return toResult(await Promise.race([custom.export(upload, signal), aborted]));
      } catch (cause) {
        return toFailure(cause);
      }
    },
    exportAtExit: custom.exportAtExit && ((upload) => custom.exportAtExit?.(upload)),
    async shutdown() {
      await custom.shutdown?.();
    },
  };
}

function toFailure(
  cause: unknown,
  retry: RetryAdvice = { kind: "limited", afterMs: undefined },
): ExportResult {
  const error = new SdkError(`exporter: ${describeError(cause)}`, { code: "EXPORT_UNREACHABLE", cause });
  return { ok: false, error, retry };
}

function toResult(returned: unknown): ExportResult {
  const result: { readonly ok?: unknown; readonly error?: unknown; readonly retry?: unknown } =
    typeof returned === "object" && returned !== null ? returned : {};
  if (result.ok !== false) return { ok: true };
  const cause = result.error ?? "it says that it failed";
  const { kind, afterMs }: { readonly kind?: unknown; readonly afterMs?: unknown } = Object(result.retry);
  if (kind !== "never" && kind !== "patient") return toFailure(cause);
  return toFailure(cause, {
    kind,
    afterMs: typeof afterMs === "number" && afterMs >= 0 ? afterMs : undefined,
  });
}
