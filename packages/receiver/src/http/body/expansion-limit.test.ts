import { describe, expect, it } from "vitest";
import { checkExpansion } from "./expansion-limit.ts";

const MEBIBYTE = 1024 * 1024;

describe("checkExpansion", () => {
  it.for([
    [1, MEBIBYTE],
    [MEBIBYTE, 200 * MEBIBYTE],
  ] as const)("lets %d bytes become %d and not one more", ([bytesWritten, producedBytes]) => {
    expect(() => checkExpansion({ bytesWritten }, producedBytes)).not.toThrow();
    expect(() => checkExpansion({ bytesWritten }, producedBytes + 1)).toThrow(
      `decompressing a request body: ${bytesWritten} bytes became at least ${producedBytes + 1}, ` +
        "the limit is 200 times as many above 1048576 bytes",
    );
  });
});
