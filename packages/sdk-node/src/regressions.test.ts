import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const root = new URL("../../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");

const rows = Array.from(
  read("docs/sdk-regressions.md").matchAll(/^\| .+ \| `([^`]+)`: (.+) \|$/gm),
  ([, file = "", name = ""]) => ({ file, name }),
);

describe("docs/sdk-regressions.md", () => {
  it("has a test for every defect", () => {
    expect(rows.length).toBeGreaterThanOrEqual(25);
  });

  it.for(rows)("names a test of $file: $name", ({ file, name }) => {
    expect(read(file)).toContain(name);
  });
});
