import { expect, it } from "vitest";
import { describeMissing } from "./describe-missing.ts";

it("says in one line what is missing and what that means, and nothing where all is there", () => {
  expect(describeMissing(["cpu", "wall"], "no binding", "no file")).toBe(
    "no binding; the inspector profiles cpu, wall, without labels; uploads are the work of the profiled thread: no file",
  );
  expect(describeMissing(["cpu"], "no binding", undefined)).toBe(
    "no binding; the inspector profiles cpu, without labels",
  );
  expect(describeMissing(["cpu"], undefined, undefined)).toBeUndefined();
});
