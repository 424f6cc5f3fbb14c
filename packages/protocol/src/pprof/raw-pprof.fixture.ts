/** Bytes of a pprof written field by field, so that tests can write what no encoder would. */

/** A varint field. */
export function varintField(field: number, value: bigint | number): number[] {
  return [...varint(field * 8), ...varint(value)];
}

/** A varint of any value; a negative one takes ten bytes, as on the wire. */
export function varint(value: bigint | number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

/** A field with a length: a message or a packed list. */
export function messageField(field: number, ...content: readonly number[][]): number[] {
  const bytes = content.flat();
  return [...varint(field * 8 + 2), ...varint(bytes.length), ...bytes];
}

/** A text field. */
export function textField(field: number, text: string): number[] {
  return messageField(field, [...new TextEncoder().encode(text)]);
}

/** The parts of a pprof, each a list of whole fields of `Profile`. */
export interface RawPprof {
  readonly sampleTypes: readonly number[][];
  readonly samples: readonly number[][];
  readonly mappings: readonly number[][];
  readonly locations: readonly number[][];
  readonly functions: readonly number[][];
  readonly strings: readonly number[][];
  readonly rest: readonly number[][];
}

/** Strings of {@link rawPprof}: 1 cpu, 2 nanoseconds, 3 main, 4 main.js. */
export const RAW_STRINGS = ["", "cpu", "nanoseconds", "main", "main.js"].map((text) => textField(6, text));

/** `cpu` in `nanoseconds`; one sample of 5 in the function `main`, line 7. */
export function rawPprof(parts: Partial<RawPprof> = {}): Uint8Array {
  const whole: RawPprof = {
    sampleTypes: [messageField(1, varintField(1, 1), varintField(2, 2))],
    samples: [rawSample([1], [5])],
    mappings: [],
    locations: [messageField(4, varintField(1, 1), messageField(4, varintField(1, 1), varintField(2, 7)))],
    functions: [messageField(5, varintField(1, 1), varintField(2, 3), varintField(4, 4))],
    strings: RAW_STRINGS,
    rest: [],
    ...parts,
  };
  return Uint8Array.from(Object.values(whole).flat(2));
}

/** A sample with packed locations and values. */
export function rawSample(
  locations: readonly (bigint | number)[],
  values: readonly (bigint | number)[],
  ...labels: readonly number[][]
): number[] {
  return messageField(
    2,
    messageField(1, locations.flatMap(varint)),
    messageField(2, values.flatMap(varint)),
    ...labels,
  );
}
