import { describe, expect, it } from "vitest";
import { readIngestForm } from "./ingest-form.ts";

describe("readIngestForm", () => {
  const form = (config: string) =>
    Buffer.from(
      `--b\r\nContent-Disposition: form-data; name="sample_type_config"\r\n\r\n${config}\r\n--b--\r\n`,
    );

  it("takes a config of 64 KiB, and refuses one of a byte more before it is parsed", () => {
    const spaces = " ".repeat(64 * 1024 - 2);

    expect(readIngestForm(form(`{}${spaces}`), "b").sampleTypeConfig?.size).toBe(0);
    expect(() => readIngestForm(form(`[]${spaces} `), "b")).toThrow(
      "sample_type_config has 65537 bytes, the limit is 65536",
    );
  });
});
