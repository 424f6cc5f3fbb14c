import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { md5 } from "./md5.ts";

it("md5 is what others make of the same bytes", () => {
  const isSame = (bytes: Uint8Array): void => {
    expect(Buffer.from(md5(bytes)).toString("hex")).toBe(createHash("md5").update(bytes).digest("hex"));
  };
  // Around the ends of blocks, where the length has room or has not.
  for (const length of [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128])
    isSame(new Uint8Array(length).fill(length));

  void fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), isSame));
});
