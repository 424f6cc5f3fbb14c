// The helper thread: encodes, compresses and sends what the main thread gives it, so that none of it costs the program's own
// thread time, and so that the last window leaves while that thread waits in its `exit` event.
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../clock.ts";
import { type ExporterTarget, loadExporter } from "./exporter-target.ts";
import type { HelperRequest } from "./helper-messages.ts";
import { HelperTasks } from "./helper-tasks.ts";

const port = parentPort;
if (port === null) throw new Error("helper-worker runs in a worker thread only");

const targets: readonly ExporterTarget[] = workerData;
// Messages wait in the port until somebody listens.
const exporters = await Promise.all(targets.map((target) => loadExporter(target, systemClock)));
const tasks = new HelperTasks(exporters, (answer) => port.postMessage(answer));
port.on("message", (request: HelperRequest) => void tasks.handle(request));
