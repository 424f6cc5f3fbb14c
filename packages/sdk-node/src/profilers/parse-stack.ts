import type { CallSite } from "./call-sites.ts";

// `at pay (/srv/shop.js:3:9)`, `at async Shop.pay [as buy] (file:///srv/shop.js:3:9)`, `at new Cart (…)`, `at /srv/shop.js:3:9`.
// Each of the two can match in one way only: a message may hold lines that are made to be slow.
const BEGINNING = /^\s*at (?:async )?(?:new )?/;
const POSITION = /^(\d{1,9}):(\d{1,9})$/;

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
    const site = line.length > MAX_LINE_LENGTH ? undefined : parseLine(line);
    if (site !== undefined) sites.push(site);
  }
  return sites;
}

function parseLine(line: string): CallSite | undefined {
  const beginning = BEGINNING.exec(line)?.[0];
  if (beginning === undefined) return undefined;
  const call = line.slice(beginning.length);
  const nameEnd = call.endsWith(")") ? call.indexOf(" (") : -1;
  const place = nameEnd < 0 ? call : call.slice(nameEnd + 2, -1);
  const lineStart = place.lastIndexOf(":", place.lastIndexOf(":") - 1) + 1;
  const [, lineText, column] = POSITION.exec(place.slice(lineStart)) ?? [];
  if (lineStart < 2 || lineText === undefined) return undefined;
  return {
    name: functionName(nameEnd < 0 ? "" : call.slice(0, nameEnd)),
    scriptName: place.slice(0, lineStart - 1),
    line: Number(lineText),
    column: Number(column),
  };
}

/** As profiles have it: `pay` of `Shop.pay`, nothing of `Object.<anonymous>`. */
function functionName(call: string): string {
  const aliasStart = call.indexOf(" [as ");
  const written = aliasStart < 0 ? call : call.slice(0, aliasStart);
  const name = written.slice(written.lastIndexOf(".") + 1);
  return name === "<anonymous>" ? "" : name;
}
