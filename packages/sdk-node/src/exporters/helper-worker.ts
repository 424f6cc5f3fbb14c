// The helper thread: encodes, compresses and sends what the main thread gives it, so that none of it costs the program's own
// thread time, and so that the last window leaves while that thread waits in its `exit` event.
import { parentPort } from "node:worker_threads";
import { systemClock } from "../clock.ts";
import { loadExporter } from "./exporter-target.ts";
import type { HelperOpening, HelperRequest } from "./helper-messages.ts";
import { HelperTasks } from "./helper-tasks.ts";

if (parentPort === null) throw new Error("helper-worker runs in a worker thread only");

parentPort.on("message", (opening: HelperOpening) => void serve(opening));

/** Serves one run until its port is closed. */
async function serve({ targets, port }: HelperOpening): Promise<void> {
  // Loading, while profiles are encoded already.
  const exporters = targets.map((target) => loadExporter(target, systemClock));
  const tasks = new HelperTasks(exporters, (answer) => port.postMessage(answer));
  port.on("message", (request: HelperRequest) => void tasks.handle(request));
  port.on(
    "close",
    () => void Promise.allSettled(exporters.map(async (exporter) => (await exporter).shutdown())),
  );
}
