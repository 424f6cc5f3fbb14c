import type { Session } from "node:inspector";
import { SdkError } from "../errors.ts";

/** What this package uses of a session with the inspector. */
export type InspectorSession = Pick<Session, "connect" | "disconnect" | "post" | "on">;

/** What this package uses of `node:inspector`. No port is opened. */
export interface Inspector {
  createSession(): InspectorSession;
  /** V8's own console object, which the sessions of this thread hear. */
  readonly console: { profile(title: string): void; profileEnd(title: string): void };
}

/**
 * The inspector of this thread.
 *
 * @throws {@link SdkError} `NATIVE_UNAVAILABLE` in a Node that was built without it.
 */
export function loadInspector(): Inspector {
  // Not imported: the import itself throws where there is none.
  const inspector = process.getBuiltinModule("node:inspector");
  if (inspector === undefined) {
    throw new SdkError("this Node was built without its inspector", { code: "NATIVE_UNAVAILABLE" });
  }
  return { createSession: () => new inspector.Session(), console: inspector.console };
}
