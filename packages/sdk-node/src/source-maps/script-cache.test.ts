import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ScriptCache } from "./script-cache.ts";

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "script-cache-"));
});

afterAll(() => rmSync(directory, { recursive: true }));

/** A script with a map, of about `bytes`. */
function writeScript(name: string, bytes = 0): string {
  const map = { version: 3, sources: [`${name}.ts`], names: [], mappings: "AAEA" };
  const url = `data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString("base64")}`;
  const path = join(directory, `${name}.js`);
  writeFileSync(path, `code()${" ".repeat(bytes)}\n//# sourceMappingURL=${url}`);
  return path;
}

const positions = [{ line: 1, column: 1, name: "" }];

describe("ScriptCache", () => {
  it("answers with the source of each position", () => {
    const answer = new ScriptCache(1000).answer({ id: 7, scriptPath: writeScript("a"), positions });

    expect(answer).toMatchObject({ id: 7, kind: "mapped", positions: [{ line: 3 }] });
  });

  it("answers for scripts without a map, and for those whose map is missing", () => {
    const plain = join(directory, "plain.js");
    writeFileSync(plain, "code()");
    const cache = new ScriptCache(1000);

    expect(cache.answer({ id: 1, scriptPath: plain, positions })).toEqual({
      id: 1,
      kind: "none",
      reason: undefined,
      positions: [],
    });
    expect(cache.answer({ id: 2, scriptPath: join(directory, "gone.js"), positions: [] })).toMatchObject({
      id: 2,
      kind: "missing",
      reason: expect.stringContaining("gone.js"),
    });
    expect(cache.scriptCount).toBe(0);
  });

  it("keeps what fits, those that were used last", () => {
    const cache = new ScriptCache(3000);
    const [a, b, c] = ["a", "b", "c"].map((name) => writeScript(name, 1000));
    for (const scriptPath of [a, b, a, c]) cache.answer({ id: 1, scriptPath: scriptPath ?? "", positions });
    expect(cache.scriptCount).toBe(2);

    rmSync(a ?? "");
    rmSync(b ?? "");

    expect(cache.answer({ id: 2, scriptPath: a ?? "", positions }).kind).toBe("mapped");
    expect(cache.answer({ id: 3, scriptPath: b ?? "", positions }).kind).toBe("missing");
  });
});
