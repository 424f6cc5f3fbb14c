const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * How deep arrays and objects of a JSON text are nested, up to `limit`; more is `limit + 1`. Of a text that is no JSON it
 * says something that no parser will come to see.
 *
 * For a few bytes of brackets a parser takes a hundred megabytes before it notices that something is missing.
 */
export function measureJsonDepth(bytes: Uint8Array, limit: number): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < bytes.length && deepest <= limit; i++) {
    switch (bytes[i]) {
      case QUOTE:
        i = findEndOfText(bytes, i);
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        deepest = Math.max(deepest, ++depth);
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--;
        break;
    }
  }
  return deepest;
}

/** Where the text that begins at `start` has its closing quote, or the end of the bytes. */
function findEndOfText(bytes: Uint8Array, start: number): number {
  for (let i = start + 1; i < bytes.length; i++) {
    if (bytes[i] === BACKSLASH) i++;
    else if (bytes[i] === QUOTE) return i;
  }
  return bytes.length;
}
