import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { decodePprof } from "@pyroscope-ts/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type FakeReceiver,
  type ReadSample,
  readSamples,
  startFakeReceiver,
} from "./harness/fake-receiver.ts";
import { makeDataDirectory, type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";
import { type ProgramResult, runProgram } from "./harness/run-program.ts";

const CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
const PLANTED = "findRepeated";

interface SpanRow {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly durationMs: number;
  readonly profileId?: string;
}

/** A receiver, what was pushed to it on its way, and the demo once it has run against both. */
describe("examples/otel-express", () => {
  let directory: Awaited<ReturnType<typeof makeDataDirectory>>;
  let receiver: ReceiverProcess;
  let relay: FakeReceiver;
  let demo: ProgramResult;
  let spans: SpanRow[];

  beforeAll(async () => {
    directory = await makeDataDirectory();
    receiver = await startReadyReceiver({ directory: join(directory.path, "data") });
    relay = await startRelay(receiver.address);
    const main = fileURLToPath(new URL("../examples/otel-express/src/main.js", import.meta.url));
    const args = [main, "--rounds", "8", "--spans", directory.path];
    demo = await runProgram(process.execPath, args, { PYROSCOPE_SERVER_ADDRESS: relay.url }).result;
    const files = ["shop", "stock"].map((name) =>
      readFile(join(directory.path, `${name}.spans.json`), "utf8"),
    );
    spans = (await Promise.all(files)).flatMap((text): SpanRow[] => JSON.parse(text));
  }, 60_000);

  afterAll(async () => {
    await relay?.close();
    await receiver?.stop();
    await directory?.remove();
  });

  const render = async (parameters: Record<string, string>): Promise<Response> => {
    // A timeline ends with its last whole step.
    const range = { from: "now-1h", until: String(Date.now() + 60_000) };
    const query = new URLSearchParams({ query: `${CPU}{service_name="shop"}`, ...range, ...parameters });
    const response = await fetch(`${receiver.address}/render?${query}`);
    expect(response.status).toBe(200);
    return response;
  };
  const stacksOf = async (parameters: Record<string, string>): Promise<Map<string, number>> => {
    const response = await render({ ...parameters, format: "pprof" });
    return sumStacks(readSamples(decodePprof(gunzipSync(new Uint8Array(await response.arrayBuffer())))));
  };
  /** Of those that have profiles, as the demo: a span below one of them takes as long but for the clock's last digits. */
  const slowest = (): SpanRow =>
    spans
      .filter(({ profileId }) => profileId !== undefined)
      .toSorted((left, right) => right.durationMs - left.durationMs)[0]!;

  it("leads from the slowest span to the planted function, which has at least 90 % of its samples", async () => {
    const span = slowest();
    expect([demo.code, demo.stderr]).toEqual([0, ""]);
    expect(span).toMatchObject({ service: "shop", name: "GET /report", profileId: span.spanId });
    expect(demo.stdout).toContain(`span_id=${span.spanId}`);

    const stacks = await stacksOf({ span_id: span.spanId });

    const self = new Map<string, number>();
    for (const [stack, value] of stacks) {
      const leaf = stack.split("\n")[0]!;
      self.set(leaf, (self.get(leaf) ?? 0) + value);
    }
    const [top] = [...self].toSorted((left, right) => right[1] - left[1]);
    expect(top?.[0]).toBe(PLANTED);
    expect(sumWith(stacks, PLANTED) / sumWith(stacks, "")).toBeGreaterThanOrEqual(0.9);
  });

  it("has the service's profile less the span's samples equal to the profile without that span", async () => {
    const { spanId } = slowest();
    const [service, span] = [await stacksOf({}), await stacksOf({ span_id: spanId })];

    const rest = new Map(service);
    for (const [stack, value] of span) rest.set(stack, rest.get(stack)! - value);

    const pushed = relay
      .profiles()
      .filter(({ labels }) => labels.__name__ === "process_cpu" && labels.service_name === "shop")
      .flatMap(({ profile }) => readSamples(profile));
    const without = sumStacks(pushed.filter(({ labels }) => labels.span_id !== spanId));
    expect(without.size).toBeGreaterThan(20);
    expect(withoutZeros(rest)).toEqual(withoutZeros(without));
  });

  it("finds both services' samples by the trace id of one request, split by service", async () => {
    const range = { query: `${CPU}{}`, from: "now-1h", until: "now" };
    const list = async (parameters: Record<string, string>) => {
      const query = new URLSearchParams({ ...range, ...parameters });
      const response = await fetch(`${receiver.address}/api/v1/spans?${query}`);
      return (await response.json()) as {
        total: string;
        spans: { service: string; traceId: string; total: string }[];
      };
    };
    const all = await list({ limit: "1000" });
    const shared = all.spans.find(({ service, traceId }) => {
      const others = all.spans.filter((other) => other.traceId === traceId && other.service !== service);
      return service === "stock" && others.length > 0;
    });
    const traceId = shared?.traceId ?? "";

    const { spans: found, total } = await list({ trace_id: traceId });
    const answer = await render({ query: `${CPU}{}`, trace_id: traceId, groupBy: "service_name" });
    const { groups, flamebearer } = (await answer.json()) as {
      groups: Record<string, { samples: number[] }>;
      flamebearer: { numTicks: number };
    };

    expect(found.map(({ service }) => service).sort()).toEqual(["shop", "stock"]);
    expect(Object.keys(groups).sort()).toEqual(["shop", "stock"]);
    const sums = found.map((span) => Number(span.total));
    expect(sums.reduce((sum, value) => sum + value, 0)).toBe(Number(total));
    expect(flamebearer.numTicks).toBe(Number(total));
    for (const { service, total: sum } of found) {
      const ticks = groups[service]?.samples.reduce((left, right) => left + right, 0);
      expect(ticks).toBe(Number(sum));
    }
    expect(new Set(spans.filter((span) => span.traceId === traceId).map(({ service }) => service)).size).toBe(
      2,
    );
  });

  it("merges a span by Pyroscope's own method as well", async () => {
    const { spanId } = slowest();
    const call = async (selector: object) => {
      const response = await fetch(`${receiver.address}/querier.v1.QuerierService/SelectMergeSpanProfile`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          profileTypeID: CPU,
          labelSelector: '{service_name="shop"}',
          start: String(Date.now() - 3_600_000),
          end: String(Date.now()),
          ...selector,
        }),
      });
      return (await response.json()) as { flamegraph: { names: string[]; total: string } };
    };

    const { flamegraph } = await call({ spanSelector: [spanId] });

    expect(flamegraph.names).toContain(PLANTED);
    expect(Number(flamegraph.total)).toBe(sumWith(await stacksOf({ span_id: spanId }), ""));
  });
});

/** Passes pushes on and keeps them. */
function startRelay(address: string): Promise<FakeReceiver> {
  return startFakeReceiver((response, { method, url, headers, body }) => {
    const { "content-type": type = "", authorization = "" } = headers;
    fetch(`${address}${url}`, { method, headers: { "content-type": type, authorization }, body })
      .then(async (answer) => {
        response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
        response.end(Buffer.from(await answer.arrayBuffer()));
      })
      .catch(() => response.destroy());
  });
}

/** Values by stack, functions leaf first, a line each. */
function sumStacks(samples: readonly ReadSample[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { frames, value } of samples) {
    const stack = frames.map(({ name }) => name).join("\n");
    sums.set(stack, (sums.get(stack) ?? 0) + value);
  }
  return sums;
}

/** Sum of the stacks that have a function; of all for "". */
function sumWith(stacks: ReadonlyMap<string, number>, name: string): number {
  return [...stacks]
    .filter(([stack]) => name === "" || stack.split("\n").includes(name))
    .reduce((sum, [, value]) => sum + value, 0);
}

function withoutZeros(stacks: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...stacks].filter(([, value]) => value !== 0).toSorted());
}
