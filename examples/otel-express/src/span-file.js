import { writeFile } from "node:fs/promises";
import { join } from "node:path";

// Enough for a demo; a program that runs for long has a collector.
const MAX_SPAN_COUNT = 100_000;

/**
 * A span exporter without a collector: spans stay in memory, and go to `<directory>/<service>.spans.json` when the
 * program ends.
 */
export class SpanFile {
  #spans = [];
  #path;
  #service;

  /**
   * @param {string} directory
   * @param {string} service
   */
  constructor(directory, service) {
    this.#path = join(directory, `${service}.spans.json`);
    this.#service = service;
  }

  export(spans, done) {
    for (const span of spans.slice(0, MAX_SPAN_COUNT - this.#spans.length))
      this.#spans.push(this.#toRow(span));
    done({ code: 0 });
  }

  async forceFlush() {
    await writeFile(this.#path, `${JSON.stringify(this.#spans, undefined, 1)}\n`);
  }

  async shutdown() {
    await this.forceFlush();
  }

  #toRow(span) {
    const { traceId, spanId } = span.spanContext();
    return {
      service: this.#service,
      name: span.name,
      traceId,
      spanId,
      parentSpanId: span.parentSpanContext?.spanId,
      startMs: toMillis(span.startTime),
      durationMs: toMillis(span.duration),
      // Only spans that have a profile of their own carry it: here the first of each service in a trace.
      profileId: span.attributes["pyroscope.profile.id"],
    };
  }
}

/** OpenTelemetry has times as seconds and nanoseconds. */
function toMillis([seconds, nanos]) {
  return seconds * 1000 + nanos / 1e6;
}
