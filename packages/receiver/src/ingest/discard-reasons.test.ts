import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { discardReasons } from "./discard-reasons.ts";

it("is the table of docs/refusals.md", () => {
  const docs = readFileSync(new URL("../../../../docs/refusals.md", import.meta.url), "utf8");
  const documented = Array.from(
    docs.matchAll(/^\| `(\w+)` \| `(\w+)` \| (.+) \|$/gm),
    ([, reason, code, help]) => [reason, { help, code }],
  );

  expect(Object.fromEntries(documented)).toEqual(discardReasons);
});
