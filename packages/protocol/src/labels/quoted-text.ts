/** `end` is behind the closing quote; `position` is where the problem is. Both 0-based. */
export type QuotedText =
  | { readonly ok: true; readonly value: string; readonly end: number }
  | { readonly ok: false; readonly problem: string; readonly position: number };

const SIMPLE_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["a", "\x07"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
  ["\\", "\\"],
]);

// Digits of \x, \u and \U; octal escapes have three digits and no letter.
const CODE_POINT_ESCAPE = /u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})/y;
const BYTE_ESCAPES = /(?:\\x[0-9A-Fa-f]{2}|\\[0-7]{3})+/y;

/**
 * Reads a quoted text of a selector that begins at `start`: in double or single quotes with Go's escapes and
 * without line breaks, or in backticks with neither.
 */
export function readQuotedText(text: string, start: number): QuotedText {
  const quote = text.charAt(start);
  if (quote === "`") return readRaw(text, start);
  let value = "";
  let position = start + 1;
  while (position < text.length) {
    const character = text.charAt(position);
    if (character === quote) return { ok: true, value, end: position + 1 };
    if (character === "\n") return problem("line break in a quoted text", position);
    if (character !== "\\") {
      value += character;
      position++;
      continue;
    }
    const escaped = readEscape(text, position, quote);
    if (!escaped.ok) return escaped;
    value += escaped.value;
    position = escaped.end;
  }
  return problem("quoted text without a closing quote", start);
}

function readRaw(text: string, start: number): QuotedText {
  const end = text.indexOf("`", start + 1);
  if (end < 0) return problem("quoted text without a closing quote", start);
  return { ok: true, value: text.slice(start + 1, end), end: end + 1 };
}

function readEscape(text: string, position: number, quote: string): QuotedText {
  const letter = text.charAt(position + 1);
  const simple = letter === quote ? quote : SIMPLE_ESCAPES.get(letter);
  if (simple !== undefined) return { ok: true, value: simple, end: position + 2 };
  BYTE_ESCAPES.lastIndex = position;
  const bytes = BYTE_ESCAPES.exec(text)?.[0];
  if (bytes !== undefined) return decodeBytes(bytes, position);
  CODE_POINT_ESCAPE.lastIndex = position + 1;
  const match = CODE_POINT_ESCAPE.exec(text);
  const codePoint = Number.parseInt(match?.[1] ?? match?.[2] ?? "", 16);
  if (match === null || codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint < 0xe000)) {
    return problem("unknown escape in a quoted text", position);
  }
  return { ok: true, value: String.fromCodePoint(codePoint), end: position + 1 + match[0].length };
}

/** Escapes of single bytes stand for UTF-8, as in Go: several in a row make one character. */
function decodeBytes(escapes: string, position: number): QuotedText {
  const values = Array.from(escapes.matchAll(/x(..)|([0-7]{3})/g), ([, hex, octal]) =>
    hex === undefined ? Number.parseInt(octal ?? "", 8) : Number.parseInt(hex, 16),
  );
  if (values.some((value) => value > 0xff)) return problem("unknown escape in a quoted text", position);
  try {
    const value = decodeURIComponent(values.map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""));
    return { ok: true, value, end: position + escapes.length };
  } catch {
    // decodeURIComponent throws for nothing but bytes that are not UTF-8.
    return problem("escapes that are not UTF-8 in a quoted text", position);
  }
}

function problem(text: string, position: number): QuotedText {
  return { ok: false, problem: text, position };
}
