// The thread that reads source maps: parsing one of a bundle takes some 100 ms, which no event loop should wait for.
import { parentPort } from "node:worker_threads";
import { ScriptCache } from "./script-cache.ts";
import type { SourceMapRequest } from "./source-map-messages.ts";

if (parentPort === null) throw new Error("source-map-worker.ts is the entry of a worker thread");

// What stays between two requests; while one is answered the largest map is there in any case.
const CAPACITY_BYTES = 32 * 1024 * 1024;

const port = parentPort;
const cache = new ScriptCache(CAPACITY_BYTES);

port.on("message", (request: SourceMapRequest) => port.postMessage(cache.answer(request)));
