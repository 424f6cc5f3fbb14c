import { describe, expect, it } from "vitest";
import type { TimeNode } from "../profilers/native.ts";
import { claimIdleCpu } from "./idle-cpu.ts";

const INTERVAL_NANOS = 10_000_000;

describe("claimIdleCpu", () => {
  it("gives what idle ticks counted to short work, not to work that fills its interval", () => {
    const short = node("short", [2_000_000, 3_000_000]);
    const long = node("long", Array(10).fill(10_000_000));

    const claim = claimIdleCpu(node("(idle)", [4_000_000, 6_000_000]), [short, long], INTERVAL_NANOS);

    expect(sum(claim, long)).toBe(100_000_000);
    expect(sum(claim, short)).toBeCloseTo(15_000_000);
    expect(claim.unclaimedNanos).toBe(0);
  });

  it("gives next to nothing to ticks of a blocked thread", () => {
    const blocked = node("execSync", [900_000, ...Array(50).fill(16_000)]);
    const short = node("short", [2_000_000, 3_000_000, 4_000_000]);

    const claim = claimIdleCpu(node("(idle)", [20_000_000]), [blocked, short], INTERVAL_NANOS);

    expect(sum(claim, blocked)).toBeLessThan(0.15 * sum(claim, short));
    expect(sum(claim, short)).toBeGreaterThan(18_000_000);
  });

  it("conserves what the CPU clock counted", () => {
    const idle = node("(idle)", [900_000_000]);
    const busy = node("f", [1_000_000], [node("g", [2_000_000, 300_000])]);

    const claim = claimIdleCpu(idle, [busy], INTERVAL_NANOS);

    const counted = sum(claim, busy) + (busy.children[0] ? sum(claim, busy.children[0]) : 0);
    expect(counted + claim.unclaimedNanos).toBeCloseTo(903_300_000);
    expect(claim.unclaimedNanos).toBeGreaterThan(0);
  });

  it("leaves all of it unclaimed where the thread was never seen at work", () => {
    const claim = claimIdleCpu(node("(idle)", [5_000_000]), [], INTERVAL_NANOS);

    expect(claim.unclaimedNanos).toBe(5_000_000);
  });

  it("changes nothing without idle ticks", () => {
    const busy = node("f", [1_000_000]);

    const claim = claimIdleCpu(undefined, [busy], INTERVAL_NANOS);

    expect(sum(claim, busy)).toBe(1_000_000);
    expect(claim.unclaimedNanos).toBe(0);
  });
});

function node(name: string, cpuTimes: readonly number[], children: readonly TimeNode[] = []): TimeNode {
  return {
    name,
    scriptName: "",
    scriptId: 0,
    lineNumber: 0,
    columnNumber: 0,
    hitCount: cpuTimes.length,
    contexts: cpuTimes.map((cpuTime) => ({ cpuTime })),
    children,
  };
}

function sum(claim: ReturnType<typeof claimIdleCpu>, subject: TimeNode): number {
  return (subject.contexts ?? []).reduce((total, tick) => total + claim.cpuOf(subject, tick), 0);
}
