import { describe, expect, it } from "vitest";
import { RemoteCaptures } from "./remote-captures.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { createRecordingDiagnostics } from "./testing/recording-logger.ts";

function createCaptures() {
  const calls: string[] = [];
  const clock = new ManualClock();
  const { diagnostics, lines } = createRecordingDiagnostics();
  let end: (result: { readonly error: string | undefined }) => void = () => undefined;
  const captures: RemoteCaptures = new RemoteCaptures({
    setSampleRate: (hz) => void calls.push(`rate ${hz}`),
    cutWindow: (mark) => void calls.push(`cut ${mark.map(({ name, value }) => `${name}=${value}`).join()}`),
    captureAllocations(durationMs) {
      calls.push(`allocations ${durationMs}`);
      return new Promise((resolve) => {
        end = resolve;
      });
    },
    clock,
    diagnostics,
  });
  return { captures, calls, clock, lines, endAllocations: (error?: string) => end({ error }) };
}

const order = (fields: object = {}) => JSON.stringify({ id: "a-1", kind: "cpu", seconds: 10, ...fields });

describe("RemoteCaptures", () => {
  it("samples CPU time at 1 kHz for the time that is asked for, in windows of their own", async () => {
    const { captures, calls, clock } = createCaptures();
    captures.take(order());
    expect(calls).toEqual(["rate 1000", "cut "]);
    expect(captures.markOf("cpu")).toEqual([{ name: "capture", value: "a-1" }]);
    expect(captures.markOf("allocations")).toEqual([]);

    await clock.advance(10_000);

    expect(calls.slice(2)).toEqual(["rate undefined", "cut capture=a-1"]);
    expect(captures.markOf("cpu")).toEqual([]);
  });

  it("records allocations, and says why when it could not", async () => {
    const { captures, calls, clock, lines, endAllocations } = createCaptures();
    captures.take(order({ kind: "allocations", seconds: 5 }));
    expect(calls).toEqual(["allocations 5000"]);
    expect(captures.markOf("allocations")).toEqual([{ name: "capture", value: "a-1" }]);

    endAllocations("no inspector");
    await clock.advance(0);

    expect(lines).toContain("warn pyroscope: capture a-1: no inspector");
    expect(captures.markOf("allocations")).toEqual([]);
  });

  it("takes one order at a time, and none after its stop", async () => {
    const { captures, calls, clock, lines } = createCaptures();
    captures.take(order());
    captures.take(order({ id: "b" }));
    expect(lines).toContain("warn pyroscope: capture order b refused: a-1 is under way");

    captures.stop();
    await clock.advance(60_000);
    captures.take(order({ id: "c" }));
    expect(calls).toEqual(["rate 1000", "cut "]);
  });

  it.for([
    "",
    "null",
    "{}",
    order({ id: 'x"} 1' }),
    order({ id: "a".repeat(65) }),
    order({ kind: "heap" }),
    order({ seconds: 0.5 }),
    order({ seconds: 61 }),
    order({ seconds: "10" }),
  ])("refuses %s in one line", (text) => {
    const { captures, calls, lines } = createCaptures();

    captures.take(text);

    expect(calls).toEqual([]);
    expect(lines).toHaveLength(1);
  });

  it.for([1, 60])("takes %s seconds", (seconds) => {
    const { captures, calls } = createCaptures();

    captures.take(order({ seconds }));

    expect(calls[0]).toBe("rate 1000");
  });
});
