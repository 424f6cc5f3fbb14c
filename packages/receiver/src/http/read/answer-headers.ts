import type { Answer } from "../../query/query-service.ts";

// A header that is longer than what proxies take would lose the whole answer.
const MAX_NAMED_BLOCKS = 50;

/**
 * Headers that say how complete an answer is: Pyroscope's messages have no field for it.
 *
 * `x-pyroscope-partial` names the blocks that could not be read, at most 50, and is absent when none is missing.
 */
export function answerHeaders(answer: Answer<unknown>): readonly (readonly [name: string, value: string])[] {
  const { missingBlocks, resolution } = answer;
  const headers: [string, string][] = [["x-pyroscope-resolution", resolution]];
  if (missingBlocks.length > 0) {
    headers.push(["x-pyroscope-partial", missingBlocks.slice(0, MAX_NAMED_BLOCKS).join(", ")]);
  }
  return headers;
}
