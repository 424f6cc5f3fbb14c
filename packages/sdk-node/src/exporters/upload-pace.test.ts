import { describe, expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { UploadPace } from "./upload-pace.ts";

describe("UploadPace", () => {
  it("lets a burst through at once and the rest at its rate", async () => {
    const clock = new ManualClock();
    const pace = new UploadPace(clock, 1000, 500);

    expect(pace.delayMs(500)).toBe(0);
    pace.spend(500);
    expect(pace.delayMs(1)).toBe(1);
    expect(pace.delayMs(500)).toBe(500);

    await clock.advance(300);
    expect(pace.delayMs(300)).toBe(0);
    expect(pace.delayMs(500)).toBe(200);
  });

  it("sends what is larger than the burst when nothing else was sent, and has the next wait for it", async () => {
    const clock = new ManualClock();
    const pace = new UploadPace(clock, 1000, 500);

    expect(pace.delayMs(2000)).toBe(0);
    pace.spend(2000);
    expect(pace.delayMs(500)).toBe(2000);
    await clock.advance(2000);
    expect(pace.delayMs(500)).toBe(0);
  });
});
