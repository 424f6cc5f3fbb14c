import { describe, expect, it } from "vitest";
import { Delivery } from "./delivery.ts";
import { SdkError } from "./errors.ts";
import { adaptExporter } from "./exporters/custom-exporter.ts";
import type { ExportResult, NamedExporter, ProfileUpload } from "./exporters/exporter.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { MemoryHelper } from "./testing/memory-exporter.ts";
import { createRecordingDiagnostics } from "./testing/recording-logger.ts";

const uploadAt = (startUnixMs: number): ProfileUpload => ({
  startUnixMs,
  endUnixMs: startUnixMs + 1000,
  labels: [],
  profiles: [{ name: "wall", type: "wall", id: "1", pprof: new Uint8Array(10), rawBytes: 20 }],
});

const away: ExportResult = {
  ok: false,
  error: new SdkError("gone", { code: "EXPORT_UNREACHABLE" }),
  retry: { kind: "patient", afterMs: undefined },
};

function createDelivery(exporters: readonly NamedExporter[] = [], names = ["pyroscope"]) {
  const clock = new ManualClock();
  const helper = new MemoryHelper(names);
  const { diagnostics, lines } = createRecordingDiagnostics();
  const delivery = new Delivery({
    helper,
    exporters,
    capacityBytes: 25,
    timeoutMs: 10_000,
    maxDelayMs: 30_000,
    clock,
    random: () => 1,
    diagnostics,
  });
  return { clock, delivery, helper, lines };
}

const hanging: NamedExporter = {
  name: "hangs",
  export: () => new Promise(() => {}),
  shutdown: async () => {},
};

describe("Delivery", () => {
  it("gives every upload to every exporter, whatever the others do, and counts each apart", async () => {
    const seen: number[] = [];
    const broken = adaptExporter({
      name: "broken",
      export: () => {
        throw new Error("mine");
      },
    });
    const own = adaptExporter({ name: "own", export: ({ startUnixMs }) => void seen.push(startUnixMs) });
    const { clock, delivery, helper, lines } = createDelivery([broken, hanging, own]);

    for (const time of [1, 2, 3, 4]) {
      delivery.add(uploadAt(time));
      await clock.advance(0);
    }

    expect(helper.uploads.map(({ startUnixMs }) => startUnixMs)).toEqual([1, 2, 3, 4]);
    expect(seen).toEqual([1, 2, 3, 4]);
    const counts = delivery.exporters.map(({ name, sentCount, droppedCount, waitingCount }) => ({
      [name]: [sentCount, droppedCount, waitingCount],
    }));
    expect(counts).toEqual([
      { pyroscope: [4, 0, 0] },
      { broken: [0, 2, 2] },
      { hangs: [0, 1, 3] },
      { own: [4, 0, 0] },
    ]);
    expect(delivery.status).toMatchObject({ sentCount: 8, droppedCount: 3, waitingCount: 5 });
    expect(lines.filter((line) => line.includes("exporter broken: exporter: mine"))).toHaveLength(1);
    expect(delivery.exporters.map(({ lastError }) => lastError !== undefined)).toEqual([
      false,
      true,
      false,
      false,
    ]);
  });

  it("is empty when the queue of every exporter is", async () => {
    const { delivery, helper } = createDelivery([adaptExporter({ export: () => {} })]);
    helper.exporter.answers.push(away);
    const never = new AbortController().signal;

    delivery.add(uploadAt(1));
    expect(await delivery.drain(never)).toBe(false);
    expect(await delivery.drain(never)).toBe(true);
  });

  it("sends at the exit what waits and the last, to each its own, and counts what each took", () => {
    const archived: number[] = [];
    const archive = adaptExporter({
      name: "archive",
      export: () => new Promise(() => {}),
      exportAtExit: ({ startUnixMs }) => void archived.push(startUnixMs),
    });
    const { delivery, helper } = createDelivery([archive, hanging], ["pyroscope", "file"]);
    helper.finish = (batches) => batches.flatMap(({ uploads }) => uploads).length;
    const batches: unknown[] = [];
    const { finish } = helper;
    helper.finish = (all, timeoutMs) => {
      batches.push(...all.map(({ exporterIndex, uploads }) => [exporterIndex, uploads.length]));
      return finish(all, timeoutMs);
    };

    delivery.add(uploadAt(1));
    const result = delivery.finish([uploadAt(2)], 1000);

    // Of the first upload an attempt is under way everywhere; only the helper's may end.
    expect(batches).toEqual([
      [0, 1],
      [1, 1],
    ]);
    expect(archived).toEqual([2]);
    expect(result).toEqual({ count: 8, sentCount: 3 });
  });

  it("survives an exporter that throws at the exit, and one that does not shut down", async () => {
    const broken = adaptExporter({
      name: "broken",
      export: () => {},
      exportAtExit: () => {
        throw new Error("read-only");
      },
      shutdown: () => {
        throw new Error("no");
      },
    });
    const { delivery, helper, lines } = createDelivery([broken], []);

    expect(delivery.finish([uploadAt(1)], 1000)).toEqual({ count: 1, sentCount: 0 });
    await delivery.close();

    expect(lines).toContainEqual("warn pyroscope: exporter broken at exit: read-only");
    expect(helper.isShutDown).toBe(true);
  });
});
