import { describe, expect, it } from "vitest";
import { Diagnostics } from "./diagnostics.ts";
import { createRecordingLogger } from "./testing/recording-logger.ts";

describe("Diagnostics", () => {
  it("passes on what its level lets through, under the SDK's name", () => {
    const logger = createRecordingLogger();
    const diagnostics = new Diagnostics(logger, "warn");

    diagnostics.error("a");
    diagnostics.warn("b");
    diagnostics.info("c");
    diagnostics.debug("d");

    expect(logger.lines).toEqual(["error pyroscope: a", "warn pyroscope: b"]);
  });

  it("remembers the latest 20 warnings, also when it is off", () => {
    const logger = createRecordingLogger();
    const diagnostics = new Diagnostics(logger, "off");

    for (let i = 1; i <= 21; i++) diagnostics.warn(`warning ${i}`);

    expect(logger.lines).toEqual([]);
    expect(diagnostics.warnings).toHaveLength(20);
    expect(diagnostics.warnings[0]).toBe("warning 2");
  });

  it("says a thing once until it is forgotten", () => {
    const logger = createRecordingLogger();
    const diagnostics = new Diagnostics(logger, "debug");

    expect(diagnostics.forget("key")).toBe(false);
    diagnostics.warnOnce("key", "first");
    diagnostics.warnOnce("key", "second");
    expect(diagnostics.forget("key")).toBe(true);
    diagnostics.warnOnce("key", "third");

    expect(logger.lines).toEqual(["warn pyroscope: first", "warn pyroscope: third"]);
  });

  it("survives a logger that throws", () => {
    const fail = (): never => {
      throw new Error("broken");
    };
    const diagnostics = new Diagnostics({ error: fail, warn: fail, info: fail, debug: fail }, "debug");

    expect(() => diagnostics.error("a")).not.toThrow();
  });
});
