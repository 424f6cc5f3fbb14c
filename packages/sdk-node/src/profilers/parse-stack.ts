import type { CallSite } from "./call-sites.ts";

// `at pay (/srv/shop.js:3:9)`, `at async Shop.pay [as buy] (file:///srv/shop.js:3:9)`, `at new Cart (…)`, `at /srv/shop.js:3:9`.
const NAMED = /^\s*at (?:async )?(?:new )?(.+?)(?: \[as [^\]]*\])? \((.+):(\d+):(\d+)\)$/;
const UNNAMED = /^\s*at (?:async )?(.+):(\d+):(\d+)$/;

const MAX_FRAMES = 64;

// The message of an error is part of its text, and may be anything. Lines of V8 are a name and a path.
const MAX_LENGTH = 64 * 1024;
const MAX_LINE_LENGTH = 1024;

/**
 * The calls of an error's `stack` as V8 writes it, leaf first; none of a text in another form.
 *
 * Only the text is read: asking V8 for the calls themselves would leave the program another `stack` than its own.
 */
export function parseStack(stack: string): readonly CallSite[] {
  const sites: CallSite[] = [];
  for (const line of stack.slice(0, MAX_LENGTH).split("\n")) {
    if (sites.length >= MAX_FRAMES) break;
    if (line.length > MAX_LINE_LENGTH) continue;
    const named = NAMED.exec(line);
    const unnamed = named === null ? UNNAMED.exec(line) : null;
    const [scriptName, lineText, column] = (named?.slice(2) ?? unnamed?.slice(1) ?? []) as (
      | string
      | undefined
    )[];
    if (scriptName === undefined) continue;
    sites.push({
      name: functionName(named?.[1] ?? ""),
      scriptName,
      line: Number(lineText),
      column: Number(column),
    });
  }
  return sites;
}

/** As profiles have it: `pay` of `Shop.pay`, nothing of `Object.<anonymous>`. */
function functionName(written: string): string {
  const name = written.slice(written.lastIndexOf(".") + 1);
  return name === "<anonymous>" ? "" : name;
}
