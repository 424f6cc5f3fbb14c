import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { env } from "node:process";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Exchange } from "./recorder.ts";

/** Headers that a receiver decides by, or shows. */
const KEPT_HEADERS: readonly string[] = ["content-type", "content-encoding", "user-agent", "x-scope-orgid"];

const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** With INTEROP_RECORD set, saves what a client sent as the fixtures that `npm test` replays. */
export function recordFixtures(client: string, exchanges: readonly Exchange[]): void {
  if (env.INTEROP_RECORD === undefined) return;
  const folder = fileURLToPath(new URL(`../fixtures/${client}/`, import.meta.url));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  exchanges.forEach(({ method, url, headers, body }, index) => {
    const name = `${folder}${String(index).padStart(2, "0")}`;
    const kept = Object.fromEntries(
      Object.entries(headers).filter(([header]) => KEPT_HEADERS.includes(header)),
    );
    writeFileSync(`${name}.json`, `${JSON.stringify({ method, url, headers: kept }, undefined, 2)}\n`);
    writeFileSync(`${name}.body`, anonymize(body));
  });
}

/** Names of the machine become others of the same length, so that no length in the bytes changes. */
function anonymize(body: Buffer): Buffer {
  if (body[0] === 0x1f && body[1] === 0x8b) return gzipSync(anonymize(gunzipSync(body)), { level: 9 });
  const text = body.toString("latin1");
  const boundary = /^--[\w-]+\r\n/.exec(text)?.[0].trimEnd();
  if (boundary !== undefined) return anonymizeForm(text, boundary);
  const names = [hostname(), ROOT, env.HOME ?? ""].filter((name) => name.length > 3);
  const replaced = names.reduce(
    (rest, name) => rest.replaceAll(name, "/home/shop".padEnd(name.length, "-").slice(0, name.length)),
    text,
  );
  return Buffer.from(replaced, "latin1");
}

function anonymizeForm(form: string, boundary: string): Buffer {
  const parts = form.split(boundary).map((part) => {
    const content = part.indexOf("\r\n\r\n") + 4;
    if (content < 4) return part;
    const bytes = Buffer.from(part.slice(content, -2), "latin1");
    return `${part.slice(0, content)}${anonymize(bytes).toString("latin1")}\r\n`;
  });
  return Buffer.from(parts.join(boundary), "latin1");
}
