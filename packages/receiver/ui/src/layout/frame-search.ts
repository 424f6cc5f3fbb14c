import type { FlameGraph, FlameNode } from "./flame-graph.ts";
import { NO_NODE } from "./flame-graph.ts";

// A link can carry a pattern, and it runs over every name on the page's thread. Without repeated groups and back
// references, with few repetitions and over a bounded length, no pattern takes long enough to matter.
const MAX_PATTERN_LENGTH = 200;
const MAX_REPETITION_COUNT = 3;
const MAX_SEARCHED_LENGTH = 512;
const REPEATED_GROUP = /\)\s*[+*{]/;
const BACK_REFERENCE = /\\[1-9k]/;
const REPETITION = /[+*{]/g;

/** Which names a search found: one byte for each name of a graph. */
export interface NameMatch {
  readonly isMatch: Uint8Array;
  readonly nameCount: number;
  /** Whether the text was taken as an expression. */
  readonly isExpression: boolean;
}

/**
 * The names that contain `text`, upper and lower case alike. Between slashes (`/^fs\./`) it is a regular expression,
 * unless that could take long: then it is searched as it stands.
 *
 * @returns undefined for empty text.
 */
export function searchNames(names: readonly string[], text: string): NameMatch | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const expression = parseExpression(trimmed);
  const wanted = trimmed.toLowerCase();
  const isMatch = new Uint8Array(names.length);
  let nameCount = 0;
  names.forEach((name, index) => {
    const isFound =
      expression?.test(name.slice(0, MAX_SEARCHED_LENGTH)) ?? name.toLowerCase().includes(wanted);
    if (!isFound) return;
    isMatch[index] = 1;
    nameCount++;
  });
  return { isMatch, nameCount, isExpression: expression !== undefined };
}

function parseExpression(text: string): RegExp | undefined {
  const pattern = /^\/(.+)\/$/.exec(text)?.[1];
  if (pattern === undefined || pattern.length > MAX_PATTERN_LENGTH) return undefined;
  if (REPEATED_GROUP.test(pattern) || BACK_REFERENCE.test(pattern)) return undefined;
  if ((pattern.match(REPETITION)?.length ?? 0) > MAX_REPETITION_COUNT) return undefined;
  try {
    return new RegExp(pattern, "i");
  } catch {
    // Half-typed: the text is searched until it becomes a pattern.
    return undefined;
  }
}

/**
 * The part of `within` that lies under matching frames, 0 to 1. A matching frame under another one counts once: what
 * the outermost covers is covered.
 */
export function measureMatchRatio(graph: FlameGraph, match: NameMatch, within: FlameNode): number {
  const whole = graph.width[within] ?? 0;
  if (whole === 0) return 0;
  // Below a matching frame everything is covered.
  for (let above = graph.parent[within]!; above >= 0; above = graph.parent[above]!) {
    if (match.isMatch[graph.name[above]!] === 1) return 1;
  }
  let matched = 0;
  const end = graph.end[within]!;
  for (let node = within; node < end; ) {
    if (match.isMatch[graph.name[node]!] === 1) {
      matched += graph.width[node]!;
      node = graph.end[node]!;
    } else {
      node++;
    }
  }
  return matched / whole;
}

/** The matching node after `from` in pre-order (before it for `step` -1), around the end, or {@link NO_NODE}. */
export function findNextMatch(graph: FlameGraph, match: NameMatch, from: FlameNode, step: 1 | -1): FlameNode {
  for (let distance = 1; distance <= graph.length; distance++) {
    const node = (((from + step * distance) % graph.length) + graph.length) % graph.length;
    if (match.isMatch[graph.name[node]!] === 1) return node;
  }
  return NO_NODE;
}
