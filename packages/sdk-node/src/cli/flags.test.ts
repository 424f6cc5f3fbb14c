import { describe, expect, it } from "vitest";
import { parseFlags } from "./flags.ts";

describe("parseFlags", () => {
  it("reads settings as flags, in both spellings, up to the command", () => {
    const args = ["--application-name", "shop", "--upload-rate=5s", "--", "node", "--test", "app.js"];

    expect(parseFlags(args)).toEqual({
      variables: { PYROSCOPE_APPLICATION_NAME: "shop", PYROSCOPE_UPLOAD_RATE: "5s" },
      own: {},
      rest: ["node", "--test", "app.js"],
    });
  });

  it("takes the first word that is no flag for the command", () => {
    expect(parseFlags(["--tenant-id", "t", "node", "--x"]).rest).toEqual(["node", "--x"]);
    expect(parseFlags([])).toEqual({ variables: {}, own: {}, rest: [] });
  });

  it("tells the flags of a command from settings", () => {
    expect(parseFlags(["--output", "a.pb.gz", "--tenant-id=t"], ["output"])).toEqual({
      variables: { PYROSCOPE_TENANT_ID: "t" },
      own: { output: "a.pb.gz" },
      rest: [],
    });
    expect(() => parseFlags(["--outpt", "a"], ["output"])).toThrow(
      /^--outpt: no such flag; similar ones are --output$/,
    );
  });

  it("keeps what follows the first sign of equality", () => {
    expect(parseFlags(["--tags=a=b,c=d"]).variables).toEqual({ PYROSCOPE_LABELS: "a=b,c=d" });
  });

  it.for([
    [["--huh", "1"], /^--huh: no such flag; --help lists them$/],
    [["--upload-rat", "1"], /^--upload-rat: no such flag; similar ones are --upload-rate, --upload-timeout/],
    [["--logger", "x"], /^--logger: no such flag; similar ones are --log-level$/],
    [["--tenant-id"], /^--tenant-id: expected a value$/],
  ] as const)("refuses %j", ([args, message]) => {
    expect(() => parseFlags(args)).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID", message: expect.stringMatching(message) }),
    );
  });
});
