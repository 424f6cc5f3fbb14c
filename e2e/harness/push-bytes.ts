import {
  Line,
  Location,
  Function as PprofFunction,
  Profile,
  Sample,
  StringTable,
  ValueType,
} from "pprof-format";

/** One series of a push: labels, and a plain pprof. */
interface PushedSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly pprof: Uint8Array;
}

/** The bytes of a push.v1.PushRequest, written field by field: no code of the receiver's takes part. */
export function pushRequestBytes(series: readonly PushedSeries[]): Buffer {
  return Buffer.concat(
    series.map(({ labels, pprof }) => {
      const pairs = Object.entries(labels).map(([name, value]) =>
        field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, Buffer.from(value))])),
      );
      const id = Buffer.from("9b2d1f6e-3c55-4a0e-8f43-6a1f0b7d2c90");
      const sample = field(2, Buffer.concat([field(1, pprof), field(2, id)]));
      return field(1, Buffer.concat([...pairs, sample]));
    }),
  );
}

function field(number: number, content: Uint8Array): Buffer {
  const length: number[] = [];
  let rest = content.length;
  for (; rest > 0x7f; rest >>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length, rest]), content]);
}

/** What {@link stacksPprof} is made of. */
interface StacksPprof {
  /** `cpu` in `nanoseconds`. */
  readonly types: readonly (readonly [type: string, unit: string])[];
  readonly periodType: readonly [type: string, unit: string];
  readonly timeUnixNanos: bigint;
  /** Root first, `;` between; one value for each type. */
  readonly stacks: Readonly<Record<string, readonly number[]>>;
}

/** A plain pprof, encoded by a library that is not ours. */
export function stacksPprof({ types, periodType, timeUnixNanos, stacks }: StacksPprof): Uint8Array {
  const stringTable = new StringTable();
  const text = (value: string) => stringTable.dedup(value);
  const valueType = ([type, unit]: readonly [string, string]) =>
    new ValueType({ type: text(type), unit: text(unit) });
  const names = [...new Set(Object.keys(stacks).flatMap((stack) => stack.split(";")))];
  return new Profile({
    sampleType: types.map(valueType),
    periodType: valueType(periodType),
    period: 10_000_000,
    timeNanos: timeUnixNanos,
    durationNanos: 10_000_000_000n,
    function: names.map((name, index) => new PprofFunction({ id: index + 1, name: text(name) })),
    location: names.map(
      (_, index) => new Location({ id: index + 1, line: [new Line({ functionId: index + 1, line: 1 })] }),
    ),
    sample: Object.entries(stacks).map(
      ([stack, value]) =>
        new Sample({
          locationId: stack
            .split(";")
            .reverse()
            .map((name) => names.indexOf(name) + 1),
          value: [...value],
        }),
    ),
    stringTable,
  }).encode();
}
