import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { originalPositionFor } from "@jridgewell/trace-mapping";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readScriptSources } from "./read-map.ts";

// Column 0 of line 1 is line 3 of the source.
const map = { version: 3, sources: ["src/a.ts"], names: [], mappings: "AAEA" };

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "read-map-"));
});

afterAll(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

/** Where the script's first character comes from, or why that is not known. */
function read(path: string): string {
  const sources = readScriptSources(path);
  if (sources.kind === "missing") return sources.reason;
  if (sources.kind === "none") return "none";
  const { source, line } = originalPositionFor(sources.map, { line: 1, column: 0 });
  return `${source?.replace(pathToFileURL(directory).href, "")}:${line}`;
}

describe("readScriptSources", () => {
  it("reads a map beside the script", () => {
    write("a map.json", JSON.stringify(map));
    const byPath = write("a.js", "code()\n//# sourceMappingURL=a%20map.json\n");
    const byUrl = write(
      "b.js",
      `code()\n//@ sourceMappingURL=${pathToFileURL(join(directory, "a map.json")).href}`,
    );

    expect([read(byPath), read(byUrl)]).toEqual(["/src/a.ts:3", "/src/a.ts:3"]);
  });

  it("reads a map that is inlined, in both encodings", () => {
    const json = JSON.stringify(map);
    const base64 = Buffer.from(json).toString("base64");
    const urls = [
      `data:application/json;charset=utf-8;base64,${base64}`,
      `data:,${encodeURIComponent(json)}`,
    ];
    const paths = urls.map((url, i) => write(`inline${i}.js`, `code()\n//# sourceMappingURL=${url}\n`));

    expect(paths.map(read)).toEqual(["/src/a.ts:3", "/src/a.ts:3"]);
  });

  it("reads a map with sections, and one that a server guards", () => {
    const sections = [{ offset: { line: 0, column: 0 }, map }];
    write("indexed.map", JSON.stringify({ version: 3, sections }));
    write("guarded.map", `)]}'\n${JSON.stringify(map)}`);
    const paths = ["indexed", "guarded"].map((name) =>
      write(`${name}.js`, `code()\n//# sourceMappingURL=${name}.map`),
    );

    expect(paths.map(read)).toEqual(["/src/a.ts:3", "/src/a.ts:3"]);
  });

  it("takes the last comment, and none inside of code", () => {
    write("last.map", JSON.stringify(map));
    const two = "//# sourceMappingURL=gone.map\ncode()\n//# sourceMappingURL=last.map\n";

    expect(read(write("last.js", two))).toBe("/src/a.ts:3");
    expect(read(write("text.js", 'const s = "//# sourceMappingURL=gone.map";\n'))).toBe("none");
    expect(read(write("plain.js", "code()\n"))).toBe("none");
  });

  it("says why a map is missing", () => {
    const reasonOf = (url: string) => read(write("missing.js", `//# sourceMappingURL=${url}`));
    write("broken.map", "{");

    expect(reasonOf("gone.map")).toMatch(/missing\.js: .*ENOENT.*gone\.map/);
    expect(reasonOf("broken.map")).toMatch(/missing\.js: SyntaxError/);
    expect(reasonOf("https://example.com/a.map")).toMatch(/https:\/\/example\.com\/a\.map is not a file/);
    expect(reasonOf(".")).toMatch(/is not a file/);
    expect(read(join(directory, "gone.js"))).toMatch(/gone\.js: .*ENOENT/);
  });
});
