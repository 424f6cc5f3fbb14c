import type { Clock } from "../clock.ts";
import type { ReceiverError, ReceiverErrorCode } from "../errors.ts";
import type { ReceiverLogger } from "../telemetry/log.ts";

/** Logs a request that failed for no fault of its client. */
export type FailureLog = (error: ReceiverError, fields: Readonly<Record<string, unknown>>) => void;

/** Thousands of requests a second may meet one state, such as overload: so often it is said again. */
const REPEAT_MS = 10_000;

interface Said {
  readonly atMs: number;
  /** Requests since that nothing was said about. */
  count: number;
}

/** Makes a log that has a line for each defect, and for each state in which requests cannot be served one now and then. */
export function createFailureLog(log: ReceiverLogger, clock: Pick<Clock, "monotonicMillis">): FailureLog {
  const states = new Map<ReceiverErrorCode, Said>();
  return (error, fields) => {
    const { code } = error;
    if (error.connectCode === "internal") {
      log.error({ err: error, code, ...fields }, "a request hit a defect");
      return;
    }
    const said = states.get(code);
    const now = clock.monotonicMillis();
    if (said !== undefined && now - said.atMs < REPEAT_MS) {
      said.count++;
      return;
    }
    states.set(code, { atMs: now, count: 0 });
    const unsaid = said !== undefined && said.count > 0 ? { othersBefore: said.count } : {};
    log.warn({ err: error, code, ...fields, ...unsaid }, "a request could not be served");
  };
}
