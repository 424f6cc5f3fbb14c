import { makeDataDirectory, startReadyReceiver } from "../../../e2e/harness/receiver-process.ts";
import { createPushSource, NODE_LIKE } from "./pushes.ts";
import { residentMb } from "./resident.ts";
import { printTable } from "./table.ts";

const PUSHES_PER_TENANT = 12;
/** Of each kind, at once. */
const AT_ONCE = 8;
const TYPE = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";

/** What many tenants in one process cost: as much pushed by one tenant, and by each of many its part. */
export async function benchTenants(tenantCount = 200): Promise<void> {
  const pushCount = tenantCount * PUSHES_PER_TENANT;
  const one = await measure(1, pushCount);
  const many = await measure(tenantCount, pushCount);
  const perTenant = (1024 * (many.endMb - one.endMb)) / (tenantCount - 1);
  printTable(
    `${pushCount} pushes and ${tenantCount} flame graphs, of one tenant and of ${tenantCount}`,
    ["what", "one", `${tenantCount}`],
    [
      ["answered other than 200", String(one.failed), String(many.failed)],
      ["tenants whose total is another than they pushed", String(one.wrong), String(many.wrong)],
      ["push ms p50, p99", quantiles(one.pushMs), quantiles(many.pushMs)],
      ["flame graph ms p50, p99", quantiles(one.queryMs), quantiles(many.queryMs)],
      ["resident MB before, with pushes, at the end", one.memory, many.memory],
      ["kB for each tenant more", "", perTenant.toFixed(0)],
    ],
  );
}

interface Measured {
  readonly failed: number;
  readonly wrong: number;
  readonly pushMs: readonly number[];
  readonly queryMs: readonly number[];
  readonly memory: string;
  readonly endMb: number;
}

async function measure(tenantCount: number, pushCount: number): Promise<Measured> {
  const directory = await makeDataDirectory();
  const flags = ["--log-level", "error", "--auth.multitenancy-enabled", "--ingestion-rate-mb", "0"];
  const receiver = await startReadyReceiver({ directory: directory.path, flags });
  const pid = receiver.process.pid ?? 0;
  const source = createPushSource(NODE_LIKE);
  const totals = new Map<string, bigint>();
  let failed = 0;
  const post = async (method: string, tenant: string, contentType: string, body: Uint8Array | string) => {
    const headers = { "content-type": contentType, "x-scope-orgid": tenant };
    const response = await fetch(`${receiver.address}/${method}`, { method: "POST", headers, body });
    if (response.status !== 200) failed++;
    return await response.text();
  };
  const beforeMb = residentMb(pid);

  const pushMs = await timed(pushCount, async (i) => {
    const tenant = `tenant-${i % tenantCount}`;
    const { body, total } = source.next();
    totals.set(tenant, (totals.get(tenant) ?? 0n) + total);
    await post("push.v1.PusherService/Push", tenant, "application/proto", body);
  });
  const pushedMb = residentMb(pid);

  let wrong = 0;
  const end = Date.now() + 60_000;
  const query = { profileTypeID: TYPE, labelSelector: "{}", start: end - 3_600_000, end };
  const queryMs = await timed(pushCount / PUSHES_PER_TENANT, async (i) => {
    const tenant = `tenant-${i % tenantCount}`;
    // Ranges that differ, so that no answer is given again.
    const message = JSON.stringify({ ...query, end: end + i });
    const method = "querier.v1.QuerierService/SelectMergeStacktraces";
    const text = await post(method, tenant, "application/json", message);
    const { flamegraph } = JSON.parse(text) as { flamegraph?: { total?: string } };
    if (flamegraph?.total !== String(totals.get(tenant))) wrong++;
  });
  const endMb = residentMb(pid);
  await receiver.stop();
  await directory.remove();
  const memory = [beforeMb, pushedMb, endMb].map((mb) => mb.toFixed(0)).join(" ");
  return { failed, wrong, pushMs, queryMs, memory, endMb };
}

/** Runs `count` pieces of work, some at once; resolves with how long each took. */
async function timed(count: number, work: (index: number) => Promise<void>): Promise<readonly number[]> {
  const millis: number[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      const begin = performance.now();
      await work(i);
      millis.push(performance.now() - begin);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return millis;
}

function quantiles(millis: readonly number[]): string {
  const sorted = millis.toSorted((left, right) => left - right);
  return [0.5, 0.99].map((share) => (sorted[Math.floor(share * sorted.length)] ?? 0).toFixed(0)).join(" ");
}
