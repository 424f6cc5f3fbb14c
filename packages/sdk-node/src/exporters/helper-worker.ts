// The helper thread: encodes, compresses and sends what the main thread gives it, so that none of it costs the program's own
// thread time, and so that the last window leaves while that thread waits in its `exit` event. It reads source maps too:
// parsing that of a bundle takes some 100 ms, which no event loop should wait for, and a thread more would take 10 MB.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../clock.ts";
import type { SourceMapRequest } from "../source-maps/source-map-messages.ts";
import type { ExporterTarget } from "./exporter-target.ts";
import { loadExporter } from "./exporter-target.ts";
import type { HelperOpening, HelperRequest } from "./helper-messages.ts";
import { HelperTasks } from "./helper-tasks.ts";
import { guardZlib } from "./zlib-gate.ts";

// What stays between two requests for source maps; while one is answered the largest map is there in any case.
const MAP_CAPACITY_BYTES = 32 * 1024 * 1024;

if (parentPort === null) throw new Error("helper-worker runs in a worker thread only");

guardZlib(workerData);

parentPort.on("message", (opening: HelperOpening) => {
  if (opening.kind === "uploads") serveUploads(opening.targets, opening.port);
  else void serveSourceMaps(opening.port);
});

/** Serves one run until its port is closed. */
function serveUploads(targets: readonly ExporterTarget[], port: MessagePort): void {
  // Loading, while profiles are encoded already.
  const exporters = targets.map((target) => loadExporter(target, systemClock));
  const tasks = new HelperTasks(exporters, (answer) => port.postMessage(answer));
  port.on("message", (request: HelperRequest) => void tasks.handle(request));
  port.on(
    "close",
    () => void Promise.allSettled(exporters.map(async (exporter) => (await exporter).shutdown())),
  );
}

/** Answers until the port is closed, and then lets go of the maps. */
async function serveSourceMaps(port: MessagePort): Promise<void> {
  const { ScriptCache } = await import("../source-maps/script-cache.ts");
  const cache = new ScriptCache(MAP_CAPACITY_BYTES);
  port.on("message", (request: SourceMapRequest) => port.postMessage(cache.answer(request)));
}
