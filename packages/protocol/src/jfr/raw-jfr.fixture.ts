/** Type ids of the recordings that {@link rawChunk} writes. */
export const TYPE = {
  long: 10,
  int: 11,
  boolean: 12,
  string: 13,
  float: 14,
  double: 15,
  timespan: 16,
  symbol: 20,
  class: 21,
  method: 22,
  stackFrame: 23,
  stackTrace: 24,
  threadState: 25,
  setting: 30,
  execution: 31,
  wall: 32,
  monitorEnter: 33,
  allocation: 34,
} as const;

interface RawField {
  readonly name: string;
  readonly type: number;
  readonly constant?: true;
  readonly array?: true;
  readonly ticks?: true;
}

/** A type as the metadata says it. */
export interface RawType {
  readonly id: number;
  readonly name: string;
  readonly fields: readonly RawField[];
}

const correlation: readonly RawField[] = ["contextId", "spanId", "spanName", "traceIdHi", "traceIdLo"].map(
  (name) => ({ name, type: TYPE.long }),
);
const start: RawField = { name: "startTime", type: TYPE.long, ticks: true };
const stack: RawField = { name: "stackTrace", type: TYPE.stackTrace, constant: true };
const state: RawField = { name: "state", type: TYPE.threadState, constant: true };

export const RAW_TYPES: readonly RawType[] = [
  ...(["long", "int", "boolean", "float", "double"] as const).map((name) => ({
    id: TYPE[name],
    name,
    fields: [],
  })),
  { id: TYPE.string, name: "java.lang.String", fields: [] },
  { id: TYPE.timespan, name: "jdk.jfr.Timespan", fields: [{ name: "value", type: TYPE.string }] },
  { id: TYPE.symbol, name: "jdk.types.Symbol", fields: [{ name: "string", type: TYPE.string }] },
  {
    id: TYPE.class,
    name: "java.lang.Class",
    fields: [{ name: "name", type: TYPE.symbol, constant: true }],
  },
  {
    id: TYPE.method,
    name: "jdk.types.Method",
    fields: [
      { name: "type", type: TYPE.class, constant: true },
      { name: "name", type: TYPE.symbol, constant: true },
    ],
  },
  {
    id: TYPE.stackFrame,
    name: "jdk.types.StackFrame",
    fields: [
      { name: "method", type: TYPE.method, constant: true },
      { name: "lineNumber", type: TYPE.int },
    ],
  },
  {
    id: TYPE.stackTrace,
    name: "jdk.types.StackTrace",
    fields: [
      { name: "truncated", type: TYPE.boolean },
      { name: "frames", type: TYPE.stackFrame, array: true },
    ],
  },
  { id: TYPE.threadState, name: "jdk.types.ThreadState", fields: [{ name: "name", type: TYPE.string }] },
  {
    id: TYPE.setting,
    name: "jdk.ActiveSetting",
    fields: [start, { name: "name", type: TYPE.string }, { name: "value", type: TYPE.string }],
  },
  { id: TYPE.execution, name: "jdk.ExecutionSample", fields: [start, stack, state, ...correlation] },
  {
    id: TYPE.wall,
    name: "profiler.WallClockSample",
    fields: [start, stack, state, { name: "samples", type: TYPE.int }],
  },
  {
    id: TYPE.monitorEnter,
    name: "jdk.JavaMonitorEnter",
    fields: [start, { name: "duration", type: TYPE.long, ticks: true }, stack],
  },
  {
    id: TYPE.allocation,
    name: "jdk.ObjectAllocationOutsideTLAB",
    fields: [start, stack, { name: "allocationSize", type: TYPE.long }],
  },
];

/** A compressed integer. */
export function integer(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n && bytes.length < 8; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

/** A string in UTF-8. */
export function utf8(text: string): number[] {
  const bytes = [...new TextEncoder().encode(text)];
  return [3, ...integer(bytes.length), ...bytes];
}

/** An event: its size, its type and the values of its fields. */
export function event(type: number, ...values: readonly number[][]): number[] {
  const body = [...integer(type), ...values.flat()];
  // A size counts its own bytes; four are what the JDK leaves room for.
  const size = body.length + 4;
  return [
    (size & 0x7f) | 0x80,
    ((size >> 7) & 0x7f) | 0x80,
    ((size >> 14) & 0x7f) | 0x80,
    size >> 21,
    ...body,
  ];
}

export const setting = (name: string, value: string): number[] =>
  event(TYPE.setting, integer(1), utf8(name), utf8(value));

/** Ids of the states that {@link RAW_POOLS} has. */
export const RUNNABLE = 1;
export const SLEEPING = 2;

/** Ids in the order of the event's fields: context, span, name of the span, trace high and low. */
export const executionSample = (
  stackId: number,
  stateId: number = RUNNABLE,
  ids: readonly (number | bigint)[] = [0, 0, 0, 0, 0],
): number[] => event(TYPE.execution, integer(5), integer(stackId), integer(stateId), ...ids.map(integer));

export const wallSample = (stackId: number, stateId: number, samples: number): number[] =>
  event(TYPE.wall, integer(5), integer(stackId), integer(stateId), integer(samples));

export const monitorEnter = (stackId: number, ticks: number | bigint): number[] =>
  event(TYPE.monitorEnter, integer(5), integer(ticks), integer(stackId));

export const allocation = (stackId: number, bytes: number | bigint): number[] =>
  event(TYPE.allocation, integer(5), integer(stackId), integer(bytes));

/** A pool of constants: the bytes of each value by its id. */
export interface RawPool {
  readonly type: number;
  readonly constants: readonly (readonly [id: number | bigint, value: readonly number[]])[];
}

/** The value of a stack: pairs of method id and line, leaf first. */
export const stackTrace = (
  ...frames: readonly (readonly [method: number | bigint, line: number])[]
): number[] => [
  0,
  ...integer(frames.length),
  ...frames.flatMap(([method, line]) => [...integer(method), ...integer(line)]),
];

/** Stack 1: main, work. Stack 2: main. Ids beyond 2^53 are usual in the JDK. */
export const RAW_POOLS: readonly RawPool[] = [
  {
    type: TYPE.stackTrace,
    constants: [
      [1, stackTrace([2n ** 60n, 12], [7, 3])],
      [2, stackTrace([7, 4])],
    ],
  },
  {
    type: TYPE.method,
    constants: [
      [7, [5, 2]],
      [2n ** 60n, [5, 3]],
    ],
  },
  { type: TYPE.class, constants: [[5, [1]]] },
  {
    type: TYPE.symbol,
    constants: [
      [1, utf8("org/shop/Till")],
      [2, utf8("main")],
      [3, utf8("work")],
    ],
  },
  {
    type: TYPE.threadState,
    constants: [
      [RUNNABLE, utf8("STATE_RUNNABLE")],
      [SLEEPING, utf8("STATE_SLEEPING")],
    ],
  },
];

/** A checkpoint with pools. */
function checkpoint(pools: readonly RawPool[]): number[] {
  const bodies = pools.map(({ type, constants }) => [
    ...integer(type),
    ...integer(constants.length),
    ...constants.flatMap(([id, value]) => [...integer(id), ...value]),
  ]);
  return event(1, [0, 0, 0, 1], integer(pools.length), ...bodies);
}

type Element = readonly [
  name: string,
  attributes: Readonly<Record<string, string>>,
  children: readonly Element[],
];

/** The metadata event. */
export function metadata(types: readonly RawType[]): number[] {
  const strings: string[] = [];
  const indexOf = (text: string): number[] => {
    if (!strings.includes(text)) strings.push(text);
    return integer(strings.indexOf(text));
  };
  const write = ([name, attributes, children]: Element): number[] => [
    ...indexOf(name),
    ...integer(Object.keys(attributes).length),
    ...Object.entries(attributes).flatMap(([key, value]) => [...indexOf(key), ...indexOf(value)]),
    ...integer(children.length),
    ...children.flatMap(write),
  ];
  const tree = write([
    "root",
    {},
    [
      ["metadata", {}, types.map(toElement)],
      ["region", {}, []],
    ],
  ]);
  return event(0, [0, 0, 1], integer(strings.length), ...strings.map(utf8), tree);
}

function toElement({ id, name, fields }: RawType): Element {
  const toField = ({ name: field, type, constant, array, ticks }: RawField): Element => [
    "field",
    {
      name: field,
      class: `${type}`,
      ...(constant && { constantPool: "true" }),
      ...(array && { dimension: "1" }),
    },
    ticks ? [["annotation", { class: `${TYPE.timespan}`, value: "TICKS" }, []]] : [],
  ];
  return ["class", { name, id: `${id}` }, fields.map(toField)];
}

/** The parts of a chunk; what is left out is what a usual one has. */
export interface RawChunk {
  readonly events?: readonly number[][];
  readonly types?: readonly RawType[];
  readonly pools?: readonly RawPool[];
  readonly ticksPerSecond?: bigint;
  /** Bytes in place of the metadata event. */
  readonly metadata?: number[];
}

/** Writes a chunk: header, events, checkpoint, metadata. */
export function rawChunk({
  events = [executionSample(1)],
  types = RAW_TYPES,
  pools = RAW_POOLS,
  ticksPerSecond = 1_000_000_000n,
  metadata: metadataBytes = metadata(types),
}: RawChunk = {}): Uint8Array {
  const body = [...events.flat(), ...checkpoint(pools)];
  const bytes = Uint8Array.from([...new Array<number>(68).fill(0), ...body, ...metadataBytes]);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x464c5200);
  view.setUint16(4, 2);
  view.setBigInt64(8, BigInt(bytes.length));
  view.setBigInt64(16, BigInt(68 + events.flat().length));
  view.setBigInt64(24, BigInt(68 + body.length));
  view.setBigInt64(56, ticksPerSecond);
  view.setUint32(64, 1);
  return bytes;
}
