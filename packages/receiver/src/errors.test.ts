import { describe, expect, it } from "vitest";
import { DEFAULT_RETRY_AFTER_SECONDS, errorTable, ReceiverError } from "./errors.ts";

describe("ReceiverError", () => {
  it("takes its status and Connect code from the table", () => {
    const error = new ReceiverError("sample type contains -", { code: "UNPROCESSABLE" });

    expect([error.httpStatus, error.connectCode]).toEqual([422, "invalid_argument"]);
  });

  it("asks for a retry when the service is unavailable, and only then", () => {
    const full = new ReceiverError("disk full", { code: "STORAGE_UNAVAILABLE" });
    const invalid = new ReceiverError("no", { code: "INVALID_ARGUMENT" });

    expect(full.retryAfterSeconds).toBe(DEFAULT_RETRY_AFTER_SECONDS);
    expect(invalid.retryAfterSeconds).toBeUndefined();
  });

  it("keeps an explicit retry time and the cause", () => {
    const cause = new Error("ENOSPC");
    const error = new ReceiverError("disk full", {
      code: "STORAGE_UNAVAILABLE",
      cause,
      retryAfterSeconds: 1,
    });

    expect([error.retryAfterSeconds, error.cause]).toEqual([1, cause]);
  });

  it("has only statuses of refusals in its table", () => {
    const statuses = Object.values(errorTable).map((row) => row.httpStatus);

    expect(statuses.every((status) => status >= 400 && status < 600)).toBe(true);
  });
});
