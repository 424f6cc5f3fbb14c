import { destination, type Logger, pino } from "pino";
import type { LogLevel } from "../config.ts";

/** The logger of one thread: JSON lines on standard error. */
export type ReceiverLogger = Logger;

/** Where log lines go: standard error, or what a test collects. */
export interface LogSink {
  write(line: string): void;
}

/**
 * Makes the logger of a thread.
 *
 * Lines are written at once, not buffered: the last line before a crash is the one that is needed, and an idle server
 * writes none.
 */
export function createLogger(level: LogLevel, thread: "http" | "storage", sink?: LogSink): ReceiverLogger {
  const options = {
    level,
    base: { thread },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, sink ?? destination({ fd: 2, sync: true }));
}
