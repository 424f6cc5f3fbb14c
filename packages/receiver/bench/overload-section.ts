import { makeDataDirectory, startReadyReceiver } from "../../../e2e/harness/receiver-process.ts";
import { createPushSource, GO_LIKE, PushClient, type PushSource } from "./pushes.ts";
import { residentMb } from "./resident.ts";
import { printTable } from "./table.ts";

/** More requests at once than fit the budget of bodies below. */
const CLIENT_COUNT = 1500;
const MAX_INFLIGHT_MB = 4;

/** What came of pushes for a time. */
interface Outcome {
  readonly perSecond: number;
  readonly refused: number;
  readonly withoutRetryAfter: number;
  readonly otherStatuses: ReadonlySet<number>;
  readonly acceptedMs: readonly number[];
  readonly health: readonly number[];
  readonly residentMb: number;
}

/** Far more pushes than the receiver can take: what gets through, what the rest hears, and how it is afterwards. */
export async function benchOverload(seconds = 60): Promise<void> {
  const directory = await makeDataDirectory();
  const flags = ["--log-level", "error", "--max-inflight-mb", String(MAX_INFLIGHT_MB)];
  const receiver = await startReadyReceiver({ directory: directory.path, flags });
  const pid = receiver.process.pid ?? 0;
  const source = createPushSource(GO_LIKE);
  const run = (clients: number, forSeconds: number) =>
    push(receiver.address, pid, source, clients, forSeconds);
  const before = await run(16, seconds / 4);
  const during = await run(CLIENT_COUNT, seconds);
  const after = await run(16, 10);
  printTable(
    `${CLIENT_COUNT} clients without a pause for ${seconds} s, ${MAX_INFLIGHT_MB} MB of bodies in flight`,
    ["what", "measured", "goal"],
    [
      ["accepted a second, 16 clients before", before.perSecond.toFixed(0), ""],
      ["accepted a second, overload", during.perSecond.toFixed(0), (0.8 * before.perSecond).toFixed(0)],
      ["accepted a second, 16 clients after", after.perSecond.toFixed(0), ""],
      ["refused with 503 or 429 in overload", String(during.refused), ""],
      ["of these without Retry-After", String(during.withoutRetryAfter), "0"],
      ["other statuses", [...during.otherStatuses].join(", ") || "none", "none"],
      ["refused afterwards", String(after.refused), "0"],
      ["accepted, ms p99", quantile(during.acceptedMs, 0.99), "1000"],
      ["health endpoint, ms p99", quantile(during.health, 0.99), "100"],
      ["resident memory, MB at most", during.residentMb.toFixed(0), "768"],
    ],
  );
  await receiver.stop();
  await directory.remove();
}

async function push(
  address: string,
  pid: number,
  source: PushSource,
  clientCount: number,
  forSeconds: number,
): Promise<Outcome> {
  const client = new PushClient(address, clientCount);
  const acceptedMs: number[] = [];
  const otherStatuses = new Set<number>();
  let refused = 0;
  let withoutRetryAfter = 0;
  const begin = performance.now();
  const end = begin + forSeconds * 1000;
  const write = async (): Promise<void> => {
    while (performance.now() < end) {
      const sent = performance.now();
      const { status, retryAfter } = await client.send(source.next().body);
      if (status === 200) acceptedMs.push(performance.now() - sent);
      else if (status === 503 || status === 429) {
        refused++;
        if (retryAfter === undefined) withoutRetryAfter++;
        // A client that does not wait as it is told, but does not spin either.
        await new Promise((resolve) => setTimeout(resolve, 200));
      } else otherStatuses.add(status);
    }
  };
  const health: number[] = [];
  let most = 0;
  const watch = async (): Promise<void> => {
    while (performance.now() < end) {
      const asked = performance.now();
      const response = await fetch(`${address}/healthz`);
      await response.arrayBuffer();
      if (!response.ok) otherStatuses.add(response.status);
      health.push(performance.now() - asked);
      most = Math.max(most, residentMb(pid));
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };
  await Promise.all([watch(), ...Array.from({ length: clientCount }, write)]);
  client.close();
  const seconds = (performance.now() - begin) / 1000;
  const perSecond = acceptedMs.length / seconds;
  return { perSecond, refused, withoutRetryAfter, otherStatuses, acceptedMs, health, residentMb: most };
}

function quantile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((left, right) => left - right);
  return (sorted[Math.floor(share * sorted.length)] ?? 0).toFixed(1);
}
