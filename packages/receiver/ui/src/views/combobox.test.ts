import { describe, expect, it } from "vitest";
import { filterOptions } from "./combobox.tsx";

describe("filterOptions", () => {
  it("lists options that begin with the text before those that contain it", () => {
    expect(filterOptions(["x-env", "region", "Env"], "env")).toEqual(["Env", "x-env"]);
  });

  it("lists 200 of many", () => {
    const options = Array.from({ length: 1000 }, (_, index) => `pod-${index}`);

    expect(filterOptions(options, "")).toHaveLength(200);
    expect(filterOptions(options, "pod")).toHaveLength(200);
  });
});
