import { describe, expect, it } from "vitest";
import { type OverridesLoad, openOverridesFile } from "./overrides-file.ts";

function createFile(text: string) {
  const file = { text: text as string | Error };
  const loads: OverridesLoad[] = [];
  let timers: { fn: () => void; delay: number }[] = [];
  const opened = openOverridesFile({
    path: "/limits.yaml",
    reloadPeriodMs: 5000,
    readFile: async () => {
      if (file.text instanceof Error) throw file.text;
      return file.text;
    },
    clock: {
      setTimer: (fn, delay) => {
        const timer = { fn, delay };
        timers.push(timer);
        return { cancel: () => (timers = timers.filter((other) => other !== timer)) };
      },
    },
    onLoad: (load) => loads.push(load),
  });
  return {
    file,
    loads,
    opened,
    /** Lets the period pass; returns the delays that were waited for. */
    async tick(): Promise<readonly number[]> {
      const due = timers;
      timers = [];
      for (const { fn } of due) fn();
      await new Promise((resolve) => setImmediate(resolve));
      return due.map(({ delay }) => delay);
    },
  };
}

const FOUR = "overrides: { a: { ingestion_rate_mb: 4 } }";
const EIGHT = "overrides: { a: { ingestion_rate_mb: 8 } }";
const MEBIBYTE = 1024 * 1024;

describe("openOverridesFile", () => {
  it("follows the file, and tells of it only when its text is another", async () => {
    const { file, loads, opened, tick } = createFile(FOUR);
    const overrides = await opened;
    const rate = () => overrides.overrides.get("a")?.ingest.rateBytesPerSecond;
    expect(rate()).toBe(4 * MEBIBYTE);

    expect(await tick()).toEqual([5000]);
    file.text = EIGHT;
    await tick();

    expect(rate()).toBe(8 * MEBIBYTE);
    expect(loads.map(({ ok }) => ok)).toEqual([true, true]);
  });

  it("keeps what was in force while the file cannot be used, and goes on when it can", async () => {
    const { file, loads, opened, tick } = createFile(FOUR);
    const overrides = await opened;

    file.text = "overrides: { a: { x: 4 } }";
    await tick();
    file.text = new Error("ENOENT");
    await tick();
    expect(overrides.overrides.get("a")?.ingest.rateBytesPerSecond).toBe(4 * MEBIBYTE);
    file.text = FOUR;
    await tick();

    expect(loads.map(({ ok }) => ok)).toEqual([true, false, false, true]);
    expect(loads[1]).toMatchObject({
      error: {
        code: "CONFIG_INVALID",
        message: "--runtime-config.file=/limits.yaml: overrides.a.x: there is no such limit",
      },
    });
  });

  it("takes an empty file after one that could not be used", async () => {
    const { file, loads, opened, tick } = createFile(FOUR);
    const overrides = await opened;

    for (const text of ["overrides: 5", ""]) {
      file.text = text;
      await tick();
    }

    expect([overrides.overrides.size, loads.map(({ ok }) => ok)]).toEqual([0, [true, false, true]]);
  });

  it("reads several files, of which a later one goes before an earlier one, and names the one that cannot be used", async () => {
    const files = new Map([
      [
        "/base.yaml",
        "overrides: { a: { ingestion_rate_mb: 4, max_query_length: 1d }, b: { max_recording_rules: 1 } }",
      ],
      ["/more.yaml", EIGHT],
    ]);
    const open = () =>
      openOverridesFile({
        ...{ path: "/base.yaml, /more.yaml", reloadPeriodMs: 5000, onLoad: () => undefined },
        readFile: async (path) => files.get(path) ?? "",
        clock: { setTimer: () => ({ cancel: () => undefined }) },
      });

    const { overrides } = await open();
    expect(overrides.get("a")).toMatchObject({
      ingest: { rateBytesPerSecond: 8 * MEBIBYTE },
      query: { maxQueryLengthMs: 86_400_000 },
    });
    expect(overrides.get("b")?.rules).toEqual({ maxRuleCount: 1 });
    files.set("/more.yaml", "overrides: 5");
    await expect(open()).rejects.toThrow("--runtime-config.file=/more.yaml: overrides: expected names");
  });

  it("does not open with a file that cannot be used", async () => {
    await expect(createFile("overrides: 5").opened).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });

  it("reads no more once it is stopped", async () => {
    const { file, loads, opened, tick } = createFile(FOUR);

    (await opened).stop();
    file.text = EIGHT;

    expect(await tick()).toEqual([]);
    expect(loads).toHaveLength(1);
  });
});
