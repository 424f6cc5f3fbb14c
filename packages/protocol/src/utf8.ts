/**
 * Compares two texts by their UTF-8 bytes, as Go compares strings and as every sorted list on Pyroscope's wire is
 * sorted. JavaScript's `<` compares UTF-16 units, which puts U+E000..U+FFFF after the code points beyond U+FFFF.
 *
 * @returns below 0, 0 or above 0.
 */
export function compareUtf8(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const a = left.charCodeAt(i);
    const b = right.charCodeAt(i);
    if (a !== b) return codePointRank(a) - codePointRank(b);
  }
  return left.length - right.length;
}

/** Moves the surrogates, which stand for code points beyond U+FFFF, behind all other UTF-16 units. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** Length of `text` in UTF-8, in bytes. A lone surrogate counts as U+FFFD, which an encoder puts in its place. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // A pair is two units and four bytes, so each half adds one; every other unit from U+0800 on is three bytes.
    bytes += unit < 0x800 || isPairAt(text, i) || isPairAt(text, i - 1) ? 1 : 2;
  }
  return bytes;
}

function isPairAt(text: string, index: number): boolean {
  return (text.charCodeAt(index) & 0xfc00) === 0xd800 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00;
}

/** Whether `text` can be written as UTF-8: it has no lone surrogate. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
