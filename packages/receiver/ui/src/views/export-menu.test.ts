import { describe, expect, it } from "vitest";
import { nameDownload } from "./export-menu.tsx";

const query = { type: "process_cpu:cpu:nanoseconds:cpu:nanoseconds", fromMs: 0, untilMs: 1 };

describe("nameDownload", () => {
  it("says what is in the file", () => {
    expect(nameDownload({ ...query, selector: '{service_name="shop"}' }, "pb.gz")).toBe(
      "shop-cpu-1970-01-01T00_00_00.pb.gz",
    );
  });

  it("keeps nothing of a hostile name that a file system would mind", () => {
    expect(nameDownload({ ...query, selector: '{service_name="../../etc/x\\u0000"}' }, "json")).not.toMatch(
      /[/\\]/,
    );
    expect(nameDownload({ ...query, selector: "{}" }, "json")).toMatch(/^all-services-cpu-/);
  });
});
