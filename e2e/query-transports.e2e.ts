import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { encodePprof } from "@pyroscope-ts/protocol";
import { ProfileFormat } from "@pyroscope-ts/protocol/messages";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createReceiverClient,
  type ReceiverClient,
  type TransportName,
  transports,
} from "./harness/client.ts";
import { type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";

const TYPE = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
const START = 1_700_000_010_000n;
const RANGE = { start: START, end: START + 60_000n };
const SELECTION = { ...RANGE, profileTypeID: TYPE, labelSelector: '{service_name="shop"}' };

// A receiver starts in a second; a machine that runs every other test beside it takes longer.
const START_TIMEOUT_MS = 60_000;

let directory: string;
let receiver: ReceiverProcess;
let client: ReceiverClient;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pyroscope-e2e-"));
  receiver = await startReadyReceiver({
    directory,
    flags: ["--reject-older-than", "0", "--log-level", "error"],
  });
  client = createReceiverClient(receiver.address);
  await push("1", [1n, 2n], START + 1n);
  await push("2", [4n, 8n], START + 20_000n);
}, START_TIMEOUT_MS);

afterAll(async () => {
  await receiver.stop();
  await rm(directory, { recursive: true });
});

/** Stacks `a;b` and `a;c` with these values. */
async function push(version: string, values: readonly bigint[], unixMillis: bigint): Promise<void> {
  const profile = profileFromText("a  a\nb  c", {
    sampleTypes: [{ type: "cpu", unit: "nanoseconds" }],
    periodType: { type: "cpu", unit: "nanoseconds" },
    values,
    timeUnixNanos: unixMillis * 1_000_000n,
  });
  const labels = [
    { name: "__name__", value: "process_cpu" },
    { name: "service_name", value: "shop" },
    { name: "version", value: version },
  ];
  await client.pusher().push({ series: [{ labels, samples: [{ rawProfile: encodePprof(profile) }] }] });
}

describe.for(Object.keys(transports) as TransportName[])("querier.v1 over %s", (transport) => {
  const querier = () => client.querier(transport);

  it("lists types, labels and series", async () => {
    const { profileTypes } = await querier().profileTypes(RANGE);
    const { names } = await querier().labelValues({ ...RANGE, name: "version" });
    const { labelsSet } = await querier().series({ ...RANGE, labelNames: ["version", "service_name"] });
    const labels = await querier().labelNames({ ...RANGE, matchers: ['{version="1"}'] });

    expect(profileTypes.map(({ ID }) => ID)).toEqual([TYPE]);
    expect(names).toEqual(["1", "2"]);
    expect(labelsSet).toHaveLength(2);
    expect(labels.names).toContain("service_name");
  });

  it("merges stacks into a flame graph, a tree and a pprof", async () => {
    const { flamegraph } = await querier().selectMergeStacktraces(SELECTION);
    const tree = await querier().selectMergeStacktraces({ ...SELECTION, format: ProfileFormat.TREE });
    const pprof = await querier().selectMergeStacktraces({ ...SELECTION, format: ProfileFormat.PPROF });
    const profile = await querier().selectMergeProfile(SELECTION);

    expect(flamegraph?.names).toEqual(["total", "a", "c", "b"]);
    expect(flamegraph?.levels.at(-1)?.values).toEqual([0n, 5n, 5n, 3n, 0n, 10n, 10n, 2n]);
    expect(Buffer.from(tree.tree).toString("hex")).toBe("00000101610002" + "01630a00" + "01620500");
    expect(pprof.pprof?.profile?.sample.map(({ value }) => value[0]).sort()).toEqual([10n, 5n]);
    expect(profile.sample).toHaveLength(2);
  });

  it("lays two versions over each other, and shows them over time", async () => {
    const side = (version: string) => ({ ...SELECTION, labelSelector: `{version="${version}"}` });
    const { flamegraph } = await querier().diff({ left: side("1"), right: side("2") });
    const { series } = await querier().selectSeries({ ...SELECTION, step: 15, groupBy: ["version"] });

    expect(flamegraph).toMatchObject({ leftTicks: 3n, rightTicks: 12n, total: 15n, maxSelf: 8n });
    expect(series.map(({ points }) => points.map(({ timestamp, value }) => [timestamp, value]))).toEqual([
      [[START + 30_000n, 12]],
      [[START + 15_000n, 3]],
    ]);
  });

  it("refuses with the code and the words of the protocol", async () => {
    const refused = querier().selectMergeStacktraces({ ...SELECTION, profileTypeID: "cpu" });

    const error = await refused.then(
      () => undefined,
      (reason: unknown) => ConnectError.from(reason),
    );
    expect(error?.code).toBe(Code.InvalidArgument);
    expect(error?.rawMessage).toContain('got(1): "cpu"');
  });
});

describe("GET /render", () => {
  it("agrees with querier.v1", async () => {
    const { flamegraph } = await client.querier().selectMergeStacktraces(SELECTION);
    const range = new URLSearchParams({ from: String(RANGE.start), to: String(RANGE.end) });

    const { body } = await client.get(`/render?query=${TYPE}{service_name="shop"}&${range}`);

    const levels = flamegraph?.levels.map(({ values }) => values.map(Number));
    expect(body).toMatchObject({ flamebearer: { names: flamegraph?.names, levels, numTicks: 15 } });
  });
});
