import type { LabelSet } from "../labels/label-set.ts";
import { ProtobufWriter } from "../wire/protobuf-writer.ts";

/** One series of a push: its labels and what was profiled. */
export interface PushSeries {
  /** In order of their names, `__name__` and `service_name` among them. */
  readonly labels: LabelSet;
  readonly samples: readonly PushSample[];
}

/** One profile of a push. */
export interface PushSample {
  /** A UUID. */
  readonly id: string;
  /** pprof, plain or gzip. */
  readonly pprof: Uint8Array;
}

/**
 * The bytes of a `push.v1.PushRequest`, as `toBinary(PushRequestSchema, …)` writes them. Written by hand because a profiler
 * lives in somebody else's process: descriptions of messages take 5 to 8 MB there, this takes nothing.
 *
 * Source: proto/push/v1/push.proto.
 */
export function encodePush(series: readonly PushSeries[]): Uint8Array {
  const writer = new ProtobufWriter(1024 + pprofBytes(series));
  for (const { labels, samples } of series) {
    const start = writer.begin(1);
    for (const { name, value } of labels) {
      const label = writer.begin(1);
      textField(writer, 1, name);
      textField(writer, 2, value);
      writer.end(label);
    }
    for (const { id, pprof } of samples) {
      const sample = writer.begin(2);
      bytesField(writer, 1, pprof);
      textField(writer, 2, id);
      writer.end(sample);
    }
    writer.end(start);
  }
  return writer.finish();
}

function pprofBytes(series: readonly PushSeries[]): number {
  return series.reduce(
    (sum, { samples }) => sum + samples.reduce((all, { pprof }) => all + pprof.byteLength + 64, 0),
    0,
  );
}

/** Fields that are not repeated are left out where they are empty. */
function textField(writer: ProtobufWriter, field: number, text: string): void {
  if (text !== "") writer.textField(field, text);
}

function bytesField(writer: ProtobufWriter, field: number, bytes: Uint8Array): void {
  if (bytes.byteLength === 0) return;
  const start = writer.begin(field);
  writer.raw(bytes);
  writer.end(start);
}
