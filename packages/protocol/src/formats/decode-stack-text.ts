import type { LocationIndex } from "../profile/profile.ts";
import { UTF8_DECODER } from "../wire/text-codec.ts";
import { MAX_INT64, malformedFormat } from "./malformed-format.ts";
import type { StackCollector } from "./stack-collector.ts";

const LINE_FEED = 0x0a;

/**
 * Reads folded text: `root;child;leaf 12` on each line, the count behind the last space. Blank lines mean nothing.
 *
 * @throws ProtocolError `FORMAT_MALFORMED` for a line without a count, or with one that is no int64.
 */
export function readFoldedText(bytes: Uint8Array, stacks: StackCollector): void {
  const values = new Map<string, bigint>();
  forEachLine(bytes, (line, lineNumber) => {
    const space = line.lastIndexOf(" ");
    if (space < 0) throw malformedFormat(`line ${lineNumber}: ${quote(line)} has no count`);
    const stack = line.slice(0, space);
    const value = parseCount(line.slice(space + 1), lineNumber);
    // Nearly all lines of a long text repeat a stack: to split each of them is most of the cost.
    values.set(stack, (values.get(stack) ?? 0n) + value);
  });
  addStacks(values, stacks);
}

/** Reads lines that are one occurrence of a stack each: `root;child;leaf`. Blank lines mean nothing. */
export function readStackLines(bytes: Uint8Array, stacks: StackCollector): void {
  const values = new Map<string, number>();
  forEachLine(bytes, (line) => values.set(line, (values.get(line) ?? 0) + 1));
  addStacks(values, stacks);
}

function addStacks(values: ReadonlyMap<string, bigint | number>, stacks: StackCollector): void {
  for (const [stack, value] of values) stacks.addStack(toLocations(stack, stacks), BigInt(value));
}

/** The locations of `root;child;leaf`, root first. */
function toLocations(stack: string, stacks: StackCollector): readonly LocationIndex[] {
  let frameCount = 1;
  for (let at = stack.indexOf(";"); at >= 0; at = stack.indexOf(";", at + 1)) frameCount++;
  stacks.checkLine(frameCount);
  return stack.split(";").map((name) => stacks.locationOf(name));
}

/** Calls back for each line that is not blank, without its end; one line at a time is text. Numbers are from 1. */
function forEachLine(bytes: Uint8Array, onLine: (line: string, lineNumber: number) => void): void {
  let lineNumber = 0;
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(LINE_FEED, start);
    const end = newline < 0 ? bytes.length : newline;
    lineNumber++;
    // Empty lines are skipped as bytes: four million of them are a legal text.
    const line = start === end ? "" : decodeLine(bytes.subarray(start, end), lineNumber);
    if (line.trim() !== "") onLine(line, lineNumber);
    start = end + 1;
  }
}

function decodeLine(bytes: Uint8Array, lineNumber: number): string {
  try {
    const line = UTF8_DECODER.decode(bytes);
    return line.endsWith("\r") ? line.slice(0, -1) : line;
  } catch (error) {
    throw malformedFormat(`line ${lineNumber} is not UTF-8`, error);
  }
}

function parseCount(text: string, lineNumber: number): bigint {
  // Nineteen digits hold every int64; BigInt of a megabyte of digits takes seconds.
  const count = /^[+-]?0*\d{1,19}$/.test(text) ? BigInt(text.replace("+", "")) : undefined;
  if (count !== undefined && count <= MAX_INT64 && count >= -MAX_INT64) return count;
  throw malformedFormat(`line ${lineNumber}: count ${quote(text)} is no whole number of 64 bits`);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
