import { describe, expect, it } from "vitest";
import { describeError, SdkError } from "./errors.ts";

describe("SdkError", () => {
  it("carries a code and a cause", () => {
    const cause = new Error("inner");

    expect(new SdkError("outer", { code: "CONFIG_INVALID", cause })).toMatchObject({
      name: "SdkError",
      message: "outer",
      code: "CONFIG_INVALID",
      cause,
    });
  });
});

describe("describeError", () => {
  it("joins the messages of an error and its causes, each once", () => {
    const inner = new Error("connect ECONNREFUSED");
    const error = new TypeError("fetch failed", {
      cause: new Error("connect ECONNREFUSED", { cause: inner }),
    });

    expect(describeError(error)).toBe("fetch failed: connect ECONNREFUSED");
  });

  it("looks into an error of several attempts that has no message of its own", () => {
    const error = new AggregateError([new Error("connect ::1"), new Error("connect 127.0.0.1")]);

    expect(describeError(error)).toBe("connect ::1, connect 127.0.0.1");
  });

  it("describes whatever was thrown, and ends on a cause that leads back", () => {
    const circle: Error = new Error("round");
    circle.cause = circle;

    expect(describeError("text")).toBe("text");
    expect(describeError(null)).toBe("null");
    expect(describeError(circle)).toBe("round");
  });

  it("leaves out by which modules a missing one was required", () => {
    const missing = new Error("Cannot find module 'x'\nRequire stack:\n- /srv/a.js\n- /srv/b.js");

    expect(describeError(new Error("loading", { cause: missing }))).toBe("loading: Cannot find module 'x'");
  });
});
