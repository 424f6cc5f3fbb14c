// What profiling with span ids costs a whole HTTP server that is traced already: CPU time of the server's process for each
// request, with OpenTelemetry and the profiler with its span processor, divided by that with OpenTelemetry alone.
//     node packages/otel-span-profiles/bench/server-cost.mjs [servers] [blocks]        (any Node line; needs a build)
// Two servers of the same kind differ by 8 %, as V8 compiles each a little differently. So each server is its own measure: when it
// is warm, profiling is switched on and off, and a block with it is compared with the halves before and after it. A block is
// as long as a window (15 s), so that it has one end of a window, with all that is sent then. Starting and stopping do not count.
import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, get } from "node:http";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const SERVERS = Number(process.argv[2] ?? 4);
const BLOCKS = Number(process.argv[3] ?? 2);
const BLOCK_MS = 15_000;
const SETTLE_MS = 1000;
const WARM_UP_MS = 6000;
const CONNECTIONS = 8;

if (process.send === undefined) await measure();
else await serve();

/**
 * An Express server with OpenTelemetry's instrumentations of HTTP and Express: some ten spans a request, about a fifth of a
 * millisecond of sorting and JSON, and a turn.
 */
async function serve() {
  const { context, trace } = await import("@opentelemetry/api");
  const { registerInstrumentations } = await import("@opentelemetry/instrumentation");
  const { ExpressInstrumentation } = await import("@opentelemetry/instrumentation-express");
  const { HttpInstrumentation } = await import("@opentelemetry/instrumentation-http");
  const { NodeTracerProvider } = await import("@opentelemetry/sdk-trace-node");
  const { PyroscopeSpanProcessor } = await import("../dist/index.js");
  const { flush, start, status, stop } = await import("@pyroscope-ts/sdk-node");
  const instrumentations = [new HttpInstrumentation(), new ExpressInstrumentation()];
  registerInstrumentations({ instrumentations });
  // They see only what is required after them.
  const require = createRequire(import.meta.url);
  const express = require("express");
  const exporting = { onStart() {}, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} };
  const api = () => globalThis[Symbol.for("opentelemetry.js.api.1")];
  /** A tracer with a context manager of its own: what one side patches is not there on the other. */
  const createSide = (spanProcessors) => {
    const provider = new NodeTracerProvider({ spanProcessors });
    provider.register();
    const manager = api().context;
    context.disable();
    trace.disable();
    return { manager, provider };
  };
  const sides = {
    without: createSide([exporting]),
    with: createSide([exporting, new PyroscopeSpanProcessor()]),
  };
  const use = (name) => {
    const { manager, provider } = sides[name];
    // Not context.disable(): that would switch the manager off.
    api().context = manager.enable();
    for (const instrumentation of instrumentations) instrumentation.setTracerProvider(provider);
  };
  use("without");
  const items = Array.from({ length: 400 }, (_, id) => ({
    id,
    name: `item ${(id * 7919) % 400}`,
    price: id * 3,
  }));
  const app = express();
  app.use(express.json());
  app.get("/items/:shelf", async (request, response) => {
    const sorted = items.toSorted((left, right) => (left.name < right.name ? -1 : 1));
    await new Promise((resolve) => setImmediate(resolve));
    response.json({ shelf: request.params.shelf, items: sorted });
  });
  const server = app.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
  process.on("message", async (message) => {
    if (message === "with") {
      // Uploads to nobody: gzip and HTTP are on a thread of their own, whose CPU time counts here.
      start({ applicationName: "bench", serverAddress: "http://127.0.0.1:1", logLevel: "off" });
      use("with");
      // That thread starts with the first window: once in the life of a server, so not in a block.
      await flush({ timeoutMs: 3000 });
    } else if (message === "without") {
      use("without");
      await stop({ timeoutMs: 0 });
    }
    process.send({ cpu: process.cpuUsage(), labels: status().labelMechanism });
  });
}

async function measure() {
  const ratios = [];
  const sums = { without: 0, with: 0 };
  for (let i = 0; i < SERVERS; i++) {
    for (const { without, with: profiled } of await measureServer()) {
      ratios.push(profiled / without);
      sums.without += without;
      sums.with += profiled;
    }
  }
  const [low, high] = bootstrap(ratios);
  console.log(
    `Node ${process.version}, ${SERVERS} servers, ${BLOCKS} blocks of ${BLOCK_MS / 1000} s each: ` +
      `${(sums.without / ratios.length).toFixed(1)} -> ${(sums.with / ratios.length).toFixed(1)} us of CPU a request, ` +
      `mean ratio ${mean(ratios).toFixed(3)}, 95 % interval ${low.toFixed(3)} to ${high.toFixed(3)}`,
  );
}

/** CPU microseconds for a request in each block of a new server, and in the halves without around it. */
async function measureServer() {
  const child = fork(fileURLToPath(import.meta.url), []);
  const [{ port }] = await once(child, "message");
  const side = { child, port, agent: new Agent({ keepAlive: true, maxSockets: CONNECTIONS }) };
  await load(side, WARM_UP_MS);
  // Also what only runs while something is profiled.
  await ask(child, "with");
  await load(side, WARM_UP_MS);
  await ask(child, "without");
  await load(side, SETTLE_MS);
  const blocks = [];
  let before = await load(side, BLOCK_MS / 2);
  for (let i = 0; i < BLOCKS; i++) {
    await ask(child, "with");
    await load(side, SETTLE_MS);
    const profiled = await load(side, BLOCK_MS);
    await ask(child, "without");
    await load(side, SETTLE_MS);
    const after = await load(side, BLOCK_MS / 2);
    blocks.push({ without: (before + after) / 2, with: profiled });
    before = after;
  }
  side.agent.destroy();
  child.kill();
  return blocks;
}

/** CPU microseconds of the server for each request, while it has as many as it can answer. */
async function load({ child, port, agent }, durationMs) {
  const { cpu: before } = await ask(child, "cpu");
  const end = performance.now() + durationMs;
  let count = 0;
  const work = async () => {
    for (; performance.now() < end; count++) await request(port, agent);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  const { cpu: after } = await ask(child, "cpu");
  return (after.user + after.system - before.user - before.system) / count;
}

async function ask(child, message) {
  child.send(message);
  const [answer] = await once(child, "message");
  return answer;
}

function request(port, agent) {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path: "/items/7", agent }, (response) => {
      response.resume();
      response.on("end", resolve);
    }).on("error", reject);
  });
}

/** Where the mean of the blocks lies, in 95 of 100 draws of as many of them. */
function bootstrap(ratios) {
  const draw = () => ratios.map(() => ratios[Math.floor(Math.random() * ratios.length)]);
  const means = Array.from({ length: 2000 }, () => mean(draw())).toSorted((left, right) => left - right);
  return [means[50], means[1949]];
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
