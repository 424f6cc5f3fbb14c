// The helper thread: compresses and sends what the main thread gives it, so that neither costs the program's own
// thread time, and so that the last window leaves while that thread waits in its `exit` event.
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../clock.ts";
import type { HelperRequest } from "./helper-messages.ts";
import { HelperTasks } from "./helper-tasks.ts";
import { createHttpExporter } from "./http-exporter.ts";
import type { HttpTarget } from "./http-target.ts";

const port = parentPort;
if (port === null) throw new Error("helper-worker runs in a worker thread only");

const target: HttpTarget = workerData;
const tasks = new HelperTasks(createHttpExporter(target, systemClock), (answer) => port.postMessage(answer));
port.on("message", (request: HelperRequest) => void tasks.handle(request));
