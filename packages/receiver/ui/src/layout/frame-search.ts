import type { FlameGraph, FlameNode } from "./flame-graph.ts";
import { NO_NODE } from "./flame-graph.ts";

// A pattern runs over every name on the page's thread: short ones cannot be made slow enough to matter.
const MAX_PATTERN_LENGTH = 200;
// A repeated group with a repetition inside is how a pattern becomes exponential; such text is searched as it stands.
const NESTED_REPETITION = /\([^()]*[+*{][^()]*\)\s*[+*{]/;

/** Which names a search found: one byte for each name of a graph. */
export interface NameMatch {
  readonly isMatch: Uint8Array;
  readonly nameCount: number;
}

/**
 * The names that contain `text`, upper and lower case alike. Between slashes (`/^fs\./`) it is a regular expression.
 *
 * @returns undefined for empty text.
 */
export function searchNames(names: readonly string[], text: string): NameMatch | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const accepts = toPredicate(trimmed);
  const isMatch = new Uint8Array(names.length);
  let nameCount = 0;
  names.forEach((name, index) => {
    if (!accepts(name)) return;
    isMatch[index] = 1;
    nameCount++;
  });
  return { isMatch, nameCount };
}

function toPredicate(text: string): (name: string) => boolean {
  const pattern = /^\/(.+)\/$/.exec(text)?.[1];
  if (pattern !== undefined && pattern.length <= MAX_PATTERN_LENGTH && !NESTED_REPETITION.test(pattern)) {
    try {
      const expression = new RegExp(pattern, "i");
      return (name) => expression.test(name);
    } catch {
      // Half-typed: search for the text until it becomes a pattern.
    }
  }
  const wanted = text.toLowerCase();
  return (name) => name.toLowerCase().includes(wanted);
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
