import { RE2JS } from "re2js";
import { utf8Length } from "../utf8.ts";

/** Longest regular expression that is compiled, in bytes. Alternatives of plain texts are not compiled, hence not bound. */
export const MAX_PATTERN_BYTES = 1024;

// States of a compiled expression. Matching takes time in proportion to states × characters: a value of 2,048
// characters against 1,800 states took 0.1 s at worst, against 600,000 (which 1 KB can say: `(?:a?…){1000}`)
// compiling alone took 0.5 s. A pattern of 1,000 plain characters has 1,002 states.
const MAX_PATTERN_STATES = 2000;

/** `ok: false` says what is wrong in words that complete "regular expression …: ". */
export type PatternResult =
  | { readonly ok: true; readonly matches: (text: string) => boolean }
  | { readonly ok: false; readonly problem: string };

/**
 * Compiles a regular expression in RE2's syntax, anchored at both ends, `.` matching newlines too: as Prometheus
 * does. Matching is linear in the length of the text, whatever the pattern.
 */
export function compilePattern(pattern: string): PatternResult {
  const alternatives = splitLiterals(pattern);
  if (alternatives !== undefined) {
    const texts = new Set(alternatives);
    return { ok: true, matches: (text) => texts.has(text) };
  }
  const bytes = utf8Length(pattern);
  if (bytes > MAX_PATTERN_BYTES) return { ok: false, problem: `${bytes} bytes, limit ${MAX_PATTERN_BYTES}` };
  if (estimateStates(pattern) > MAX_PATTERN_STATES) return tooManyStates();
  return compileWithRe2(pattern);
}

function compileWithRe2(pattern: string): PatternResult {
  try {
    const regex = RE2JS.compile(pattern, RE2JS.DOTALL);
    if (regex.programSize() > MAX_PATTERN_STATES) return tooManyStates();
    return { ok: true, matches: (text) => regex.testExact(text) };
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? plainReason(error.message) : "not valid" };
  }
}

/** RE2's text without its preamble, and without the flag that the library writes before the pattern it repeats. */
function plainReason(message: string): string {
  return message.replace(/^error parsing regexp: /, "").replace("`(?s)", "`");
}

function tooManyStates(): PatternResult {
  return { ok: false, problem: `its repetitions unfold to more than ${MAX_PATTERN_STATES} states` };
}

/**
 * The texts that a pattern of plain alternatives stands for: `api|web\.1` → `api`, `web.1`. This is what pages
 * send when several values are picked from a list; a set answers it at once, however long the list.
 *
 * @returns undefined for any other pattern.
 */
function splitLiterals(pattern: string): readonly string[] | undefined {
  const alternatives: string[] = [];
  let text = "";
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern.charAt(i);
    if (character === "|") {
      alternatives.push(text);
      text = "";
    } else if (character === "\\") {
      const escaped = pattern.charAt(++i);
      // Before a letter or digit a backslash makes a class or a control character of it.
      if (!/^[!-/:-@[-`{-~]$/.test(escaped)) return undefined;
      text += escaped;
    } else if (/[.+*?()[\]{}^$]/.test(character)) {
      return undefined;
    } else {
      text += character;
    }
  }
  return [...alternatives, text];
}

/**
 * About the states that the repetitions of a pattern unfold to, found without unfolding them, so that
 * a pattern of 1 KB cannot take half a second to be refused. What it misses, the count after compiling finds.
 */
function estimateStates(pattern: string): number {
  // Sizes of the groups that are open, and of the last item in each: the item is what a repetition repeats.
  const open: { size: number; item: number }[] = [{ size: 0, item: 0 }];
  for (const token of pattern.matchAll(TOKEN)) {
    const group = open.at(-1);
    if (group === undefined) return 0;
    const [text, minimum, maximum] = token;
    if (text === "(") {
      open.push({ size: 0, item: 0 });
    } else if (text === ")") {
      open.pop();
      addItem(open.at(-1), group.size);
    } else if (minimum === undefined) {
      addItem(group, 1);
    } else {
      const count = Number(maximum ? maximum : minimum);
      group.size += group.item * (count - 1);
      group.item *= count;
    }
  }
  return open.reduce((sum, group) => sum + group.size, 0);
}

function addItem(group: { size: number; item: number } | undefined, size: number): void {
  if (group === undefined) return;
  group.size += size;
  group.item = size;
}

// A repetition {n}, {n,} or {n,m}; a parenthesis; or one item: an escape, a class, a character. A group's `?:` or
// `?i` counts as items, at most three.
const TOKEN =
  /\{(\d{1,4})(?:,(\d{0,4}))?\}|[()]|\\[pPx]\{[^}]*\}|\\[\s\S]|\[\^?\]?(?:\\[\s\S]|\[:[^\]]*:\]|[^\]\\])*\]|[^*+?|]/gu;
