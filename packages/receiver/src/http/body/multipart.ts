import { ReceiverError } from "../../errors.ts";

/** One field of a form. */
export interface MultipartPart {
  readonly name: string;
  /** Set for file parts. */
  readonly fileName: string | undefined;
  /** A view into the body. */
  readonly content: Uint8Array;
}

// The forms of `/ingest` have at most three parts; a form of a hundred thousand is an attack.
const MAX_PARTS = 32;

// Header lines of one part: a Content-Disposition and a Content-Type take some 150 bytes.
const MAX_PART_HEADER_BYTES = 8 * 1024;

/**
 * The boundary of a multipart body: what its content type says, or else, since some clients send forms under a wrong
 * content type, what its first line says.
 *
 * @returns undefined if the body is no form.
 */
export function findBoundary(contentType: string, body: Uint8Array): string | undefined {
  if (/^\s*multipart\//i.test(contentType)) return parameter(contentType, "boundary") || undefined;
  if (body[0] !== 0x2d || body[1] !== 0x2d) return undefined;
  // RFC 2046 allows 70 characters.
  const firstLine = Buffer.from(body.subarray(2, 2 + 72)).toString("latin1");
  return /^([\w'()+,./:=? -]{1,70})\r?\n/.exec(firstLine)?.[1];
}

/**
 * Splits a `multipart/form-data` body into its parts. Nothing is copied, nothing is recursive; lines may end in CRLF or
 * LF.
 *
 * @throws {@link ReceiverError} `UNPROCESSABLE` for a body that does not end in its closing boundary, a part without a
 * name, headers without an end, or too many parts.
 *
 * Source: RFC 7578, RFC 2046 section 5.1.
 */
export function parseMultipart(body: Uint8Array, boundary: string): readonly MultipartPart[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const delimiter = Buffer.from(`\n--${boundary}`, "latin1");
  const parts: MultipartPart[] = [];
  // The first may stand at the very begin.
  const isFirst = bytes.subarray(0, delimiter.length - 1).equals(delimiter.subarray(1));
  let at = isFirst ? -1 : indexOfDelimiter(bytes, delimiter, 0);
  while (!isClosing(bytes, at + delimiter.length)) {
    if (parts.length === MAX_PARTS) throw malformed(`more than ${MAX_PARTS} parts`);
    const start = endOfLine(bytes, at + delimiter.length);
    // The line of a delimiter may end where the next one begins.
    const next = indexOfDelimiter(bytes, delimiter, start - 1);
    parts.push(readPart(bytes.subarray(start, next + 1), parts.length));
    at = next;
  }
  return parts;
}

/** Where the line ends behind which the next delimiter stands. */
function indexOfDelimiter(bytes: Buffer, delimiter: Buffer, from: number): number {
  const at = bytes.indexOf(delimiter, from);
  if (at === -1) throw malformed("it ends before its closing boundary");
  return at;
}

function isClosing(bytes: Buffer, at: number): boolean {
  return bytes[at] === 0x2d && bytes[at + 1] === 0x2d;
}

function endOfLine(bytes: Buffer, from: number): number {
  const newline = bytes.indexOf(0x0a, from);
  if (newline === -1) throw malformed("it ends before its closing boundary");
  return newline + 1;
}

/** Reads what stands between two delimiters: header lines, an empty line, content, and a line end. */
function readPart(part: Buffer, index: number): MultipartPart {
  const headerLines: string[] = [];
  let at = 0;
  for (;;) {
    const end = part.subarray(0, MAX_PART_HEADER_BYTES).indexOf(0x0a, at);
    if (end === -1) throw malformed(`headers of part ${index} have no end`);
    const line = part.toString("utf8", at, end).trimEnd();
    at = end + 1;
    if (line === "") break;
    headerLines.push(line);
  }
  const disposition = headerLines.find((line) => /^content-disposition\s*:/i.test(line)) ?? "";
  const name = parameter(disposition, "name");
  if (name === undefined) throw malformed(`part ${index} has no name`);
  const lineEndBytes = part.at(-2) === 0x0d ? 2 : 1;
  const content = part.subarray(at, Math.max(at, part.length - lineEndBytes));
  return { name, fileName: parameter(disposition, "filename"), content };
}

/** A parameter of a header value: `; name="a \"b\""` or `; name=a`. */
function parameter(header: string, name: string): string | undefined {
  for (const [, key, quoted, token] of header.matchAll(
    /;\s*([\w*-]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^\s;"]*))/g,
  )) {
    if (key?.toLowerCase() === name) return quoted?.replace(/\\(.)/g, "$1") ?? token ?? "";
  }
  return undefined;
}

function malformed(what: string): ReceiverError {
  return new ReceiverError(`reading a multipart body: ${what}`, { code: "UNPROCESSABLE" });
}
