import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";

/** Limits of a tenant take some hundred bytes: these are those of ten thousand and more. */
const MAX_BYTES = 16 * 1024 * 1024;

/** A server that does not answer must not keep the others' limits from being read again. */
const TIMEOUT_MS = 10_000;

/**
 * The text of a file of overrides, by its path or by the http(s) URL of a server that hands it out.
 *
 * @throws Error for a file that cannot be read, an answer that is not 200, comes too late or is too large, and a URL with a
 * password, which logs and pages would show.
 */
export async function readOverrides(place: string, get: typeof fetch = fetch): Promise<string> {
  if (!/^https?:\/\//i.test(place)) return await readFile(place, "utf8");
  const { username, password } = new URL(place);
  if (username !== "" || password !== "") throw new Error("a user or a password in a URL is not taken");
  const response = await get(place, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((cause: unknown) => {
    throw new Error(`GET: ${reasonOf(cause)}`, { cause });
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`GET: answered ${response.status}, expected 200`);
  }
  return (await buffer(withinLimit(response.body ?? []))).toString("utf8");
}

async function* withinLimit(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let byteLength = 0;
  for await (const chunk of body) {
    byteLength += chunk.length;
    if (byteLength > MAX_BYTES) throw new Error(`GET: the answer has more than ${MAX_BYTES} bytes`);
    yield chunk;
  }
}

/** What fetch says is "fetch failed"; why is its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  return cause instanceof Error ? cause.message : message;
}
