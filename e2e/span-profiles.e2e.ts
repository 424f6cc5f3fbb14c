import { describe, expect, it } from "vitest";
import { type ReadSample, readSamples, startFakeReceiver } from "./harness/fake-receiver.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

// The old tracer SDK with each of the two ways in which labels follow asynchronous work, the new one on every line.
const cases = allNodes.flatMap(({ major, path }) =>
  (["20", "24"].includes(String(major)) ? ["1.x", "2.x"] : ["2.x"]).map((otel) => ({ major, path, otel })),
);

/** Runs a fixture; its samples by profile name, and what it printed. */
async function run(node: string, fixture: string, args: readonly string[], flags: readonly string[] = []) {
  const receiver = await startFakeReceiver();
  try {
    const result = await runProgram(node, [...flags, fixturePath(fixture), receiver.url, ...args]).result;
    expect(result).toMatchObject({ code: 0 });
    const samples: Record<string, ReadSample[]> = {};
    for (const { labels, profile } of receiver.profiles()) {
      const name = labels.__name__ ?? "";
      samples[name] ??= [];
      samples[name].push(...readSamples(profile));
    }
    return { printed: JSON.parse(result.stdout), stderr: result.stderr, samples };
  } finally {
    await receiver.close();
  }
}

function burnerOf({ frames }: ReadSample): string | undefined {
  return frames.find(({ name }) => name.startsWith("burn_"))?.name;
}

function isWrapper(name: string): boolean {
  return ["runInContext", "runInSpanOf", "runInSpan", "runWithin", "callWithin"].includes(name);
}

/** Values of burning samples, by whether `judge` finds their ids right. */
function share(
  samples: readonly ReadSample[],
  judge: (burner: string, labels: ReadSample["labels"]) => boolean,
) {
  const sums = { right: 0, foreign: 0, without: 0 };
  for (const sample of samples) {
    const burner = burnerOf(sample);
    if (burner === undefined) continue;
    if (sample.labels.span_id === undefined) sums.without += sample.value;
    else if (judge(burner, sample.labels)) sums.right += sample.value;
    else sums.foreign += sample.value;
  }
  return sums;
}

describe.for(cases)("span profiles on Node $major with OpenTelemetry $otel", ({ major, path, otel }) => {
  it("give every sample of a request the ids of its local root and no other's", async () => {
    const { printed, samples, stderr } = await run(path, "otel-requests.mjs", [otel.charAt(0), "2500"]);

    const { ok, labelMechanism, routeBySpan, profileIds } = printed;
    expect([ok, stderr]).toEqual([true, ""]);
    expect(labelMechanism).toBe(Number(major) >= 24 ? "async-context-frame" : "async-hooks");
    for (const name of ["wall", "process_cpu"]) {
      const { right, foreign, without } = share(samples[name] ?? [], (burner, { span_id = "", trace_id }) => {
        const truth = routeBySpan[span_id];
        return truth !== undefined && burner === `burn_${truth.key}` && trace_id === truth.traceId;
      });
      expect(foreign).toBe(0);
      expect(right / (right + without)).toBeGreaterThanOrEqual(0.99);
    }
    expect(Object.keys(profileIds).sort()).toEqual(Object.keys(routeBySpan).sort());
  });

  it("give no sample an id after the end of its span, wherever its context still is", async () => {
    const { printed, samples } = await run(path, "otel-after-end.mjs", [otel.charAt(0), "30"]);

    expect(printed.ok).toBe(true);
    const wall = samples.wall ?? [];
    const during = wall.filter((sample) => burnerOf(sample) === "burn_during");
    const after = wall.filter((sample) => burnerOf(sample) === "burn_after");
    expect(after.length).toBeGreaterThan(20);
    expect(after.filter(({ labels }) => "span_id" in labels || "span_name" in labels)).toEqual([]);
    const { right, without } = share(during, () => true);
    expect(right / (right + without)).toBeGreaterThanOrEqual(0.99);
  });
});

describe.for(allNodes)("span profiles on Node $major", ({ path }) => {
  it("tell 10,000 concurrent requests apart, name few of them, and end with them", async () => {
    const { printed, samples } = await run(path, "otel-unique.mjs", ["2", "10000"]);

    const { ok, failedCount, spanCount, burnerBySpan } = printed;
    expect({ ok, failedCount, spanCount }).toEqual({ ok: true, failedCount: 2000, spanCount: 10_000 });
    const wall = samples.wall ?? [];
    const { right, foreign, without } = share(
      wall,
      (burner, { span_id = "" }) => burnerBySpan[span_id] === burner,
    );
    const outside = wall.filter((sample) => burnerOf(sample) === "burn_outside");
    const outsideNanos = outside.reduce((sum, { value }) => sum + value, 0);
    expect(foreign).toBe(0);
    expect(outside.filter(({ labels }) => "span_id" in labels)).toEqual([]);
    expect(right / (right + without - outsideNanos)).toBeGreaterThanOrEqual(0.99);

    const ids = new Set(wall.map(({ labels }) => labels.span_id));
    const names = new Set(wall.map(({ labels }) => labels.span_name));
    expect(ids.size).toBeGreaterThan(100);
    // 50 that were told apart, __overflow__, and none.
    expect(names.size).toBeLessThanOrEqual(52);
    expect(names).toContain("__overflow__");
  });

  it("follow NodeSDK's instrumentations of http, Express and Fastify without a word in the handlers", async () => {
    const { printed, samples, stderr } = await run(path, "otel-instrumented.cjs", []);

    expect([printed.ok, stderr]).toEqual([true, ""]);
    const spans: { name: string; spanId: string; traceId: string; kind: number }[] = printed.spans;
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    const servers = spans.filter(({ kind }) => kind === 1).map(({ name }) => name);
    expect(new Set(servers)).toEqual(new Set(["GET", "GET /express/:id", "GET /fastify/:id"]));
    const nameOf: Record<string, string> = {
      burn_plain: "GET",
      burn_express: "GET /express/:id",
      burn_fastify: "GET /fastify/:id",
    };
    const { right, foreign, without } = share(samples.wall ?? [], (burner, { span_id = "", trace_id }) => {
      const span = byId.get(span_id);
      return span?.name === nameOf[burner] && span?.traceId === trace_id;
    });
    expect(foreign).toBe(0);
    expect(right / (right + without)).toBeGreaterThanOrEqual(0.99);
  });

  it("begin and end where OpenTelemetry's context does, whatever is nested in what", async () => {
    const { printed, samples, stderr } = await run(path, "otel-nesting.mjs", ["2", "20"]);

    const { ok, burners } = printed;
    expect([ok, stderr]).toEqual([true, ""]);
    const burning = (samples.wall ?? []).filter((sample) => burnerOf(sample) !== undefined);
    const foreign = burning.filter((sample) => {
      const name = sample.labels.span_name ?? "none";
      return name !== "none" && !burnerOf(sample)?.endsWith(`_${name}`);
    });
    const named = burning.filter((sample) => !burnerOf(sample)?.endsWith("_none"));
    const right = named.filter(
      ({ labels }) => labels.span_id !== undefined && labels.span_name !== undefined,
    );
    expect(foreign).toEqual([]);
    // What runs them in their context is not of the program.
    const wrappers = burning.flatMap(({ frames }) => frames.map(({ name }) => name).filter(isWrapper));
    expect(wrappers).toEqual([]);
    expect(right.length / named.length).toBeGreaterThanOrEqual(0.95);
    expect(new Set(burning.map(burnerOf)).size).toBeGreaterThan(burners.length / 2);
  });

  it("are let go with their spans, ended or not", async () => {
    const { printed } = await run(path, "otel-many.mjs", ["2", "20000"], ["--expose-gc"]);

    expect(printed.ok).toBe(true);
    // A holder that is never collected was 400 bytes for each.
    expect(printed.bytesPerSpan).toBeLessThan(40);
  });

  it("take ids that tagWrapper is given as they are", async () => {
    const { printed, samples } = await run(path, "otel-by-hand.mjs", []);

    expect(printed.ok).toBe(true);
    const burning = (samples.wall ?? []).filter((sample) => burnerOf(sample) !== undefined);
    const ids = burning.map(({ labels }) => `${labels.trace_id} ${labels.span_id}`);
    // Of 40; how many are seen is up to the machine.
    expect(new Set(ids).size).toBeGreaterThan(5);
    for (const { labels } of burning) {
      expect(labels).toMatchObject({ route: "/a", trace_id: labels.span_id?.padStart(32, "0") });
    }
  });
});

describe("span profiles where no sample can carry ids", () => {
  it.for([
    { how: "no-profiler", says: "" },
    { how: "no-manager", says: "no context manager is registered with OpenTelemetry" },
    { how: "heap", says: "neither cpu nor wall is profiled, or this platform cannot label their samples" },
  ])("set no attribute and say at most one line: $how", async ({ how, says }) => {
    const { printed, stderr } = await run(process.execPath, "otel-without.mjs", ["2", how]);

    expect(printed.attributes).toEqual([{}, {}, {}]);
    expect(stderr).toBe(says === "" ? "" : `pyroscope: samples carry no span ids: ${says}\n`);
  });
});
