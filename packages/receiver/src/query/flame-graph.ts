import type { StackList } from "@pyroscope-ts/protocol";
import { ReceiverError } from "../errors.ts";
import type { FrameNameRows, StackRows } from "../store/select-stacks.ts";
import { showFunction } from "../store/shown-function.ts";
import { IdNumbers } from "./id-numbers.ts";
import type { FrameNames } from "./query-service.ts";

/** Stacks whose frames are small numbers: stack `i` has `frame[start[i] .. start[i + 1]]`, root first. */
export interface NumberedStacks {
  readonly value: BigInt64Array;
  /** Ids of the stacks, parallel to `value`. */
  readonly stack: BigUint64Array;
  readonly start: Uint32Array;
  readonly frame: Uint32Array;
  readonly frames: IdNumbers;
}

/** Gives the frames of the answer's stacks numbers. */
export function numberFrames(rows: StackRows): NumberedStacks {
  const frames = new IdNumbers();
  return {
    value: rows.value,
    stack: rows.stack,
    start: rows.frames.start,
    frame: frames.add(rows.frames.items),
    frames,
  };
}

const NAMELESS = "";

/** The name of each numbered frame; "" for one that has no function, or whose row is lost. */
export function nameFrames(
  frames: IdNumbers,
  rows: FrameNameRows,
  frameNames: FrameNames,
): readonly string[] {
  const names: string[] = new Array<string>(frames.count).fill(NAMELESS);
  const numbers = frames.add(rows.frame);
  numbers.forEach((number, row) => {
    const name = rows.function[row]!;
    names[number] =
      frameNames === "line" && name !== NAMELESS
        ? withLine(name, rows, row)
        : showFunction(name, rows.file[row]!);
  });
  return names;
}

function withLine(name: string, rows: FrameNameRows, row: number): string {
  const file = rows.file[row]!;
  const line = rows.line[row]!;
  if (file === "" && line === 0n) return name;
  return `${name} ${file}:${line}`;
}

/**
 * The stacks as {@link StackList}, one entry for each name.
 *
 * Frames without a name (known by address alone) are left out, as Pyroscope does; their values still count in the
 * frame before them.
 */
export function toStackList(stacks: NumberedStacks, names: readonly string[]): StackList {
  const distinct: string[] = [];
  const rowOfName = new Map<string, number>();
  const rowOfFrame = Int32Array.from(names, (name) => {
    if (name === NAMELESS) return -1;
    const known = rowOfName.get(name);
    if (known !== undefined) return known;
    rowOfName.set(name, distinct.length);
    return distinct.push(name) - 1;
  });

  const length = stacks.value.length;
  const frameStart = new Uint32Array(length + 1);
  const frame = new Uint32Array(stacks.frame.length);
  let at = 0;
  for (let stack = 0; stack < length; stack++) {
    for (let i = stacks.start[stack]!; i < stacks.start[stack + 1]!; i++) {
      const row = rowOfFrame[stacks.frame[i]!]!;
      if (row >= 0) frame[at++] = row;
    }
    frameStart[stack + 1] = at;
  }
  return {
    length,
    names: distinct,
    frameStart,
    frame: frame.subarray(0, at),
    value: Float64Array.from(stacks.value, Number),
  };
}

/** The stacks that begin with these functions, root first. Frames without a function are passed over. */
export function withCallSite(
  stacks: NumberedStacks,
  functions: readonly string[],
  callSite: readonly string[],
): NumberedStacks {
  if (callSite.length === 0) return stacks;
  const kept: number[] = [];
  for (let stack = 0; stack < stacks.value.length; stack++) {
    const path = stacks.frame.subarray(stacks.start[stack]!, stacks.start[stack + 1]!);
    if (beginsWith(path, functions, callSite)) kept.push(stack);
  }
  return pickStacks(stacks, kept);
}

function beginsWith(path: Uint32Array, functions: readonly string[], callSite: readonly string[]): boolean {
  let matched = 0;
  for (const frame of path) {
    const name = functions[frame]!;
    if (name === NAMELESS) continue;
    if (name !== callSite[matched]) return false;
    matched += 1;
    if (matched === callSite.length) return true;
  }
  return false;
}

function pickStacks(stacks: NumberedStacks, kept: readonly number[]): NumberedStacks {
  const start = new Uint32Array(kept.length + 1);
  kept.forEach((stack, row) => {
    start[row + 1] = start[row]! + stacks.start[stack + 1]! - stacks.start[stack]!;
  });
  const frame = new Uint32Array(start[kept.length]!);
  kept.forEach((stack, row) => {
    frame.set(stacks.frame.subarray(stacks.start[stack]!, stacks.start[stack + 1]!), start[row]!);
  });
  return {
    value: BigInt64Array.from(kept, (stack) => stacks.value[stack]!),
    stack: BigUint64Array.from(kept, (stack) => stacks.stack[stack]!),
    start,
    frame,
    frames: stacks.frames,
  };
}

const MAX_INT64 = 2n ** 63n - 1n;

/**
 * The exact sum of the stacks' values.
 *
 * @throws {@link ReceiverError} OUT_OF_RANGE when it leaves int64, which no answer could state.
 */
export function sumStacks(values: BigInt64Array): bigint {
  let sum = 0n;
  for (const value of values) sum += value;
  if (sum > MAX_INT64 || sum < -MAX_INT64 - 1n) {
    throw new ReceiverError(`summing ${values.length} stacks: ${sum} is outside of int64`, {
      code: "OUT_OF_RANGE",
    });
  }
  return sum;
}
