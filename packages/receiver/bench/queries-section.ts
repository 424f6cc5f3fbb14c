import { makeDataDirectory, startReadyReceiver } from "../../../e2e/harness/receiver-process.ts";
import { GENERATED_BEGIN_MS, GENERATED_TYPE, generateBlocks } from "../src/store/testing/generate-blocks.ts";
import { residentMb } from "./resident.ts";
import { printTable } from "./table.ts";

const DAYS = 30;
const DAY_MS = 86_400_000;
const QUERIES = 50;

/** What fifty people at once who look at thirty days cost. */
export async function benchQueries(profilesPerDay = 100): Promise<void> {
  const directory = await makeDataDirectory();
  await generateBlocks(directory.path, {
    ...{ blockCount: DAYS, profilesPerBlock: profilesPerDay },
    ...{ samplesPerProfile: 60, spanMs: DAYS * DAY_MS },
  });
  const flags = ["--log-level", "error", "--roll-up-levels", "none", "--query-timeout", "10m"];
  const receiver = await startReadyReceiver({ directory: directory.path, flags });
  const pid = receiver.process.pid ?? 0;
  const before = residentMb(pid);
  let [most, isRunning] = [0, true];
  const watch = (async () => {
    while (isRunning) {
      most = Math.max(most, residentMb(pid));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  const begin = performance.now();
  const statuses = await Promise.all(
    Array.from({ length: QUERIES }, async (_, index) => {
      // No two are equal, so that none shares the work of another.
      const response = await fetch(`${receiver.address}/querier.v1.QuerierService/SelectMergeStacktraces`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          ...{ profileTypeID: GENERATED_TYPE, labelSelector: "{}", maxNodes: 2048 },
          ...{ start: GENERATED_BEGIN_MS - index, end: GENERATED_BEGIN_MS + DAYS * DAY_MS },
        }),
      });
      await response.arrayBuffer();
      return response.status;
    }),
  );
  const seconds = (performance.now() - begin) / 1000;
  isRunning = false;
  await watch;
  const count = (status: number): string => String(statuses.filter((one) => one === status).length);
  printTable(
    `${QUERIES} flame graphs of ${DAYS} days at once, ${DAYS * profilesPerDay} profiles of 60 samples`,
    ["what", "measured", "goal"],
    [
      ["answered 200", count(200), String(QUERIES)],
      ["refused for their memory", count(400), "0"],
      ["resident memory before, MB", before.toFixed(0), ""],
      ["resident memory, MB at most", most.toFixed(0), "1024"],
      ["seconds for all", seconds.toFixed(1), ""],
    ],
  );
  await receiver.stop();
  await directory.remove();
}
