import type { Logger } from "../diagnostics.ts";
import { Diagnostics } from "../diagnostics.ts";

/** A logger that keeps what it is given, each line after its level. */
export interface RecordingLogger extends Logger {
  readonly lines: readonly string[];
}

/** A logger for tests, from which the SDK's lines can be read. */
export function createRecordingLogger(): RecordingLogger {
  const lines: string[] = [];
  return {
    lines,
    error: (message) => void lines.push(`error ${message}`),
    warn: (message) => void lines.push(`warn ${message}`),
    info: (message) => void lines.push(`info ${message}`),
    debug: (message) => void lines.push(`debug ${message}`),
  };
}

/** Diagnostics at the level `debug` and the lines that they write. */
export function createRecordingDiagnostics(): { diagnostics: Diagnostics; lines: readonly string[] } {
  const logger = createRecordingLogger();
  return { diagnostics: new Diagnostics(logger, "debug"), lines: logger.lines };
}
