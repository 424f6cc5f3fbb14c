// What a child process runs while its parent waits at its heap limit: uploads what is alive there. Its arguments are the
// file of the order, the key to it, and the file of the sampled heap, which the native profiler appends.
import { randomUUID } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { systemClock } from "../clock.ts";
import { Diagnostics, standardErrorLogger } from "../diagnostics.ts";
import { describeError } from "../errors.ts";
import { encodeProfile } from "../exporters/encode-profile.ts";
import type { ProfileUpload } from "../exporters/exporter.ts";
import { loadExporter } from "../exporters/exporter-target.ts";
import { sortLabels } from "../labels/label.ts";
import type { HeapNode } from "../profilers/native.ts";
import type { TypedProfile } from "../profilers/profiler.ts";
import { runAtOnce } from "../profilers/slices.ts";
import { SourceMaps } from "../source-maps/source-maps.ts";
import { convertHeapTree } from "../transform/convert-heap-tree.ts";
import { toLegacyNames } from "../transform/legacy-names.ts";
import { collectPositions } from "../transform/script-positions.ts";
import { openOrder } from "./heap-limit-order.ts";

// Of the time that the program is held: maps that are read here were perhaps never read before.
const MAX_MAPPING_MS = 300;

/** Tells these profiles from the others of the process, which has no more of them afterwards. */
const MARK = ["near_heap_limit", "true"] as const;

const [orderPath = "", key = "", heapPath = ""] = process.argv.slice(2);

const order = openOrder(readFileSync(orderPath), key);
// The program that made it will not come to that.
rmSync(dirname(orderPath), { recursive: true, force: true });
// Not awaited here: bundlers that make CommonJS take no module that waits, and some follow the import() that names this one.
void exportHeap(JSON.parse(readFileSync(heapPath, "utf8")));

async function exportHeap(root: HeapNode): Promise<void> {
  const diagnostics = new Diagnostics(standardErrorLogger, order.logLevel);
  const upload = createUpload(convert(root, diagnostics));
  const signal = AbortSignal.timeout(order.timeoutMs);
  const sent = order.targets.map(async (target) => {
    const exporter = await loadExporter(target, systemClock);
    const result = await exporter.export(upload, signal);
    await exporter.shutdown();
    if (result.ok) diagnostics.info("the heap limit is reached: live objects were sent");
    else diagnostics.warn(`sending live objects at the heap limit: ${result.error.message}`);
  });
  for (const { reason } of (await Promise.allSettled(sent)).filter(({ status }) => status === "rejected") as {
    readonly reason: unknown;
  }[]) {
    diagnostics.warn(`sending live objects at the heap limit: ${describeError(reason)}`);
  }
}

function convert(root: HeapNode, diagnostics: Diagnostics): readonly TypedProfile[] {
  // This process does nothing else: it reads them itself.
  const sources = new SourceMaps({ startThread: undefined, clock: systemClock, diagnostics });
  if (order.sourceMaps) sources.resolveAtOnce(runAtOnce(collectPositions(root)), MAX_MAPPING_MS);
  const profiles = runAtOnce(
    convertHeapTree(root, {
      types: order.types,
      intervalBytes: order.intervalBytes,
      startUnixNanos: BigInt(systemClock.nowUnixMs()) * 1_000_000n,
      durationNanos: 0n,
      // What objects hold outside of the heap does not count to its limit.
      externalBytes: 0,
      sources,
    }),
  );
  return order.typeIds === "standard"
    ? profiles
    : profiles.map((typed) => toLegacyNames(typed, process.cwd()));
}

function createUpload(profiles: readonly TypedProfile[]): ProfileUpload {
  const nowMs = systemClock.nowUnixMs();
  return {
    startUnixMs: nowMs,
    endUnixMs: nowMs,
    labels: sortLabels([...order.labels.map(({ name, value }): [string, string] => [name, value]), MARK]),
    profiles: profiles.flatMap(({ name, type, profile }) =>
      encodeProfile(profile).map((encoded) => ({ ...encoded, name, type, id: randomUUID() })),
    ),
  };
}
