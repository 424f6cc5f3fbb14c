import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLabelExplosion, type LabelExplosion } from "./harness/label-explosion.ts";
import { makeDataDirectory, type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";

const MAX_SERIES = 300;
const SERIES_PER_PUSH = 500;
const PUSHES = 4;
const FLAGS = [
  ...["--log-level", "error", "--auth.multitenancy-enabled"],
  ...["--max-global-series-per-tenant", String(MAX_SERIES)],
];

let directory: Awaited<ReturnType<typeof makeDataDirectory>>;
let receiver: ReceiverProcess;

beforeAll(async () => {
  directory = await makeDataDirectory();
  receiver = await startReadyReceiver({ directory: directory.path, flags: FLAGS });
}, 60_000);

afterAll(async () => {
  await receiver.stop();
  await directory.remove();
});

async function push(tenant: string, pushes: LabelExplosion, seriesCount: number): Promise<number> {
  const response = await fetch(`${receiver.address}/push.v1.PusherService/Push`, {
    method: "POST",
    headers: { "content-type": "application/proto", "x-scope-orgid": tenant },
    body: pushes.next(seriesCount),
  });
  await response.arrayBuffer();
  return response.status;
}

async function metric(line: string): Promise<number> {
  const text = await (await fetch(`${receiver.address}/metrics`)).text();
  return Number(
    text
      .split("\n")
      .find((one) => one.startsWith(`${line} `))
      ?.split(" ")
      .at(-1),
  );
}

describe("a tenant whose label sets are all different", () => {
  it("gets as many series as its limit, and another tenant all of its own", async () => {
    const exploding = createLabelExplosion("sessions");
    const quiet = createLabelExplosion("quiet");

    const statuses: number[] = [];
    const quietStatuses: number[] = [];
    for (let i = 0; i < PUSHES; i++) {
      const loud = push("loud", exploding, SERIES_PER_PUSH);
      quietStatuses.push(await push("quiet", quiet, 1));
      statuses.push(await loud);
    }

    expect(statuses).toEqual(Array(PUSHES).fill(429));
    expect(quietStatuses).toEqual(Array(PUSHES).fill(200));
    expect(await metric('pyroscope_discarded_samples_total{reason="series_limit",tenant="loud"}')).toBe(
      PUSHES * SERIES_PER_PUSH - MAX_SERIES,
    );
    const cardinality = await fetch(`${receiver.address}/api/v1/cardinality`, {
      headers: { "x-scope-orgid": "loud" },
    });
    expect(await cardinality.json()).toMatchObject({ seriesCount: MAX_SERIES });
  });
});
