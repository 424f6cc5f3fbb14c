import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { decodePprof, encodePprof, type Profile, totalValues } from "@pyroscope-ts/protocol";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { Profile as IndependentProfile } from "pprof-format";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createReceiverClient,
  type ReceiverClient,
  type TransportName,
  transports,
} from "./harness/client.ts";
import { type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";

const testdata = fileURLToPath(new URL("../packages/protocol/src/testing/testdata", import.meta.url));
// Real profiles keep the time at which they were made: the whole of time is asked for.
const ALL = { from: "19710101", until: "20990101" };
const CPU = "process_cpu:samples:count::";

interface Running {
  readonly client: ReceiverClient;
  readonly receiver: ReceiverProcess;
}

let directory: string;
let running: Running;

async function startOne(): Promise<Running> {
  const flags = ["--reject-older-than", "0", "--reject-newer-than", "0", "--log-level", "error"];
  const receiver = await startReadyReceiver({ directory, flags });
  return { client: createReceiverClient(receiver.address), receiver };
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pyroscope-e2e-"));
  running = await startOne();
});

afterAll(async () => {
  await running.receiver.stop();
  await rm(directory, { recursive: true });
});

/** A profile whose total is `value`, at a time of its own. */
function drawn(value: number, timeUnixNanos = BigInt(Date.now()) * 1_000_000n): Uint8Array {
  return encodePprof(profileFromText("main\nhot", { values: [value], timeUnixNanos }));
}

function push(
  service: string,
  payloads: readonly Uint8Array[],
  transport?: TransportName,
  name = "process_cpu",
) {
  const labels = [
    { name: "__name__", value: name },
    { name: "service_name", value: service },
  ];
  const samples = payloads.map((rawProfile) => ({ rawProfile }));
  return running.client.pusher(transport).push({ series: [{ labels, samples }] });
}

const totalOf = (service: string, type = CPU) =>
  running.client.renderTotal(`${type}{service_name="${service}"}`, ALL);

/** What the server serves of a service: pprof and flame graph must agree. */
async function servedTotals(service: string): Promise<Readonly<Record<string, bigint>>> {
  const querier = running.client.querier();
  const start = BigInt(Date.parse("1971-01-01"));
  const end = BigInt(Date.parse("2099-01-01"));
  const labelSelector = `{service_name="${service}"}`;
  const { labelsSet } = await querier.series({
    matchers: [labelSelector],
    labelNames: ["__profile_type__"],
    start,
    end,
  });
  const types = labelsSet.flatMap(({ labels }) => labels.map(({ value }) => value)).sort();
  const totals = types.map(async (type) => {
    const total = await totalOf(service, type);
    const { flamegraph } = await querier.selectMergeStacktraces({
      profileTypeID: type,
      labelSelector,
      start,
      end,
    });
    expect(flamegraph?.total).toBe(total);
    return [type, total] as const;
  });
  return Object.fromEntries(await Promise.all(totals));
}

function expectedTotals(name: string, profile: Profile): Readonly<Record<string, bigint>> {
  const totals = totalValues(profile);
  const period = `${profile.periodType?.type ?? ""}:${profile.periodType?.unit ?? ""}`;
  const rows = profile.sampleTypes.map(
    ({ type, unit }, i) => [`${name}:${type}:${unit}:${period}`, totals[i] ?? 0n] as const,
  );
  return Object.fromEntries(rows.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

describe("real profiles", () => {
  const names = ["go-cpu", "go-heap", "node-heap", "node-time"];
  const profileNames = {
    "go-cpu": "process_cpu",
    "go-heap": "memory",
    "node-heap": "memory",
    "node-time": "wall",
  };
  const expected = new Map<string, Readonly<Record<string, bigint>>>();

  const checkAll = async () => {
    for (const [service, totals] of expected)
      expect([service, await servedTotals(service)]).toEqual([service, totals]);
  };

  beforeAll(async () => {
    const files = (await readdir(testdata)).filter((file) => file.endsWith(".pb.gz"));
    expect(files.map((file) => file.replace(".pb.gz", ""))).toEqual(expect.arrayContaining(names));
    for (const name of names) {
      const gzip = await readFile(join(testdata, `${name}.pb.gz`));
      const plain = gunzipSync(gzip);
      const profile = decodePprof(plain);
      const pushedName = profileNames[name as keyof typeof profileNames];
      const totals = expectedTotals(pushedName, profile);

      const form = new FormData();
      form.append("profile", new Blob([gzip]), "profile.pprof");
      expect(await running.client.ingest({ name: `multipart-${name}` }, form)).toMatchObject({ status: 200 });
      const raw = await running.client.ingest({ name: `raw-${name}`, format: "pprof" }, plain);
      expect(raw).toMatchObject({ status: 200, body: "" });
      await push(`push-${name}`, [gzip], "Connect, proto", pushedName);
      for (const way of ["multipart", "raw", "push"]) expected.set(`${way}-${name}`, totals);
    }
  });

  it("are served with exactly their totals from memory", checkAll);

  it("are downloaded as pprof that an independent decoder sums up to the same", async () => {
    for (const [service, totals] of expected) {
      for (const [type, total] of Object.entries(totals)) {
        const parameters = new URLSearchParams({
          query: `${type}{service_name="${service}"}`,
          from: ALL.from,
          until: ALL.until,
          format: "pprof",
        });
        const response = await fetch(`${running.client.baseUrl}/render?${parameters}`);
        const { sample } = IndependentProfile.decode(gunzipSync(await response.arrayBuffer()));

        const sum = sample.reduce((partial, { value }) => partial + BigInt(value[0] ?? 0), 0n);
        expect([service, type, sum]).toEqual([service, type, total]);
      }
    }
  });

  it("are served with exactly their totals from blocks, after a restart", async () => {
    await running.receiver.stop();
    running = await startOne();

    await checkAll();
  });
});

describe("each transport", () => {
  it.for(Object.keys(transports) as TransportName[])("%s pushes and reads", async (transport) => {
    const service = `transport-${transport.replaceAll(/\W+/g, "-")}`;

    await push(service, [drawn(7), gzipSync(drawn(30))], transport);

    const { flamegraph } = await running.client.querier(transport).selectMergeStacktraces({
      profileTypeID: CPU,
      labelSelector: `{service_name="${service}"}`,
      start: 1n,
      end: BigInt(Date.now() + 60_000),
    });
    expect(flamegraph?.total).toBe(37n);
    expect(flamegraph?.names).toEqual(["total", "main", "hot"]);
  });
});

describe("what was acknowledged", () => {
  it("is there after kill -9, once, however often it was sent", async () => {
    const payloads = Array.from({ length: 20 }, (_, i) => drawn(2 ** i));
    const writers = payloads.map((payload) => push("killed", [payload]));
    await Promise.all([...writers, ...payloads.map((payload) => push("killed", [payload]))]);
    const total = 2n ** 20n - 1n;
    expect(await totalOf("killed")).toBe(total);

    await running.receiver.stop("SIGKILL");
    running = await startOne();
    expect(await totalOf("killed")).toBe(total);

    await push("killed", payloads);
    expect(await totalOf("killed")).toBe(total);
  });

  it("is all kept where labels and time are equal and content is not", async () => {
    const time = BigInt(Date.now()) * 1_000_000n;

    await push("same-time", [drawn(1, time), drawn(10, time), drawn(10, time)]);
    await push("same-time", [drawn(100, time)]);

    expect(await totalOf("same-time")).toBe(111n);
  });

  it("is found by the labels of its samples", async () => {
    const profile = profileFromText("main  main", {
      values: [1, 10],
      labels: [{ route: "/a" }, { route: "/b" }],
      timeUnixNanos: BigInt(Date.now()) * 1_000_000n,
    });

    await push("labelled", [encodePprof(profile)]);

    expect(await running.client.renderTotal(`${CPU}{service_name="labelled",route="/b"}`, ALL)).toBe(10n);
    expect(await totalOf("labelled")).toBe(11n);
  });
});
