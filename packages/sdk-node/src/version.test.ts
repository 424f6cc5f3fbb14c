import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PACKAGE_NAME, PACKAGE_VERSION } from "./version.ts";

describe("PACKAGE_VERSION", () => {
  it("is that of package.json", () => {
    const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

    expect({ name: PACKAGE_NAME, version: PACKAGE_VERSION }).toEqual({
      name: manifest.name,
      version: manifest.version,
    });
  });
});
