// What profiling with span ids costs a whole HTTP server that is traced already: CPU time of the server's process for each
// request, with OpenTelemetry and the profiler with its span processor, divided by that with OpenTelemetry alone.
//     node packages/otel-span-profiles/bench/server-cost.mjs [rounds]        (any Node line; needs a build)
// Two servers, one of each kind, take turns in random order; the pairs of rounds give the ratio and its interval.
import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, createServer, get } from "node:http";
import { fileURLToPath } from "node:url";

const ROUNDS = Number(process.argv[2] ?? 24);
const REQUESTS = 4000;
const CONNECTIONS = 8;
// Each side runs for longer than its first window: what is loaded and compiled once is no part of a request.
const WARM_UP_ROUNDS = 12;

if (process.send === undefined) await measure();
else await serve(process.argv[2] === "with");

/** A traced server: a span for each request, a child in it, JSON and sorting for about half a millisecond, and a timer. */
async function serve(isProfiled) {
  const { NodeTracerProvider } = await import("@opentelemetry/sdk-trace-node");
  const { PyroscopeSpanProcessor } = await import("../dist/index.js");
  const { start } = await import("@pyroscope-ts/sdk-node");
  const exporting = { onStart() {}, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} };
  if (isProfiled) {
    // Uploads to nobody: gzip and HTTP of whole windows are on a thread of their own, and their CPU time counts here.
    start({
      applicationName: "bench",
      serverAddress: "http://127.0.0.1:1",
      profileTypes: ["cpu", "wall"],
      logLevel: "off",
    });
  }
  const provider = new NodeTracerProvider({
    spanProcessors: isProfiled ? [exporting, new PyroscopeSpanProcessor()] : [exporting],
  });
  provider.register();
  const tracer = provider.getTracer("bench");
  const items = Array.from({ length: 400 }, (_, id) => ({
    id,
    name: `item ${(id * 7919) % 400}`,
    price: id * 3,
  }));
  const server = createServer((_request, response) => {
    tracer.startActiveSpan("GET /items", async (span) => {
      const sorted = items.toSorted((left, right) => (left.name < right.name ? -1 : 1));
      await new Promise((resolve) => setImmediate(resolve));
      const body = tracer.startActiveSpan("render", (child) => {
        const text = JSON.stringify(sorted);
        child.end();
        return text;
      });
      response.end(body);
      span.end();
    });
  });
  server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
  process.on("message", () => process.send({ cpu: process.cpuUsage() }));
}

async function measure() {
  const sides = { without: await startServer("without"), with: await startServer("with") };
  for (let i = 0; i < WARM_UP_ROUNDS; i++) for (const side of Object.values(sides)) await runRound(side);
  const ratios = [];
  const sums = { without: 0, with: 0 };
  const fastest = { without: Number.POSITIVE_INFINITY, with: Number.POSITIVE_INFINITY };
  for (let round = 0; round < ROUNDS; round++) {
    const order = Math.random() < 0.5 ? ["without", "with"] : ["with", "without"];
    const micros = {};
    for (const name of order) {
      micros[name] = await runRound(sides[name]);
      sums[name] += micros[name];
      fastest[name] = Math.min(fastest[name], micros[name]);
    }
    ratios.push(micros.with / micros.without);
  }
  for (const { child } of Object.values(sides)) child.kill();
  const sorted = ratios.toSorted((left, right) => left - right);
  const [low, high] = bootstrap(ratios);
  console.log(
    `Node ${process.version}, ${ROUNDS} pairs of ${REQUESTS} requests: ` +
      `${(sums.without / ROUNDS).toFixed(0)} -> ${(sums.with / ROUNDS).toFixed(0)} us of CPU a request, ` +
      `fastest ${fastest.without.toFixed(0)} -> ${fastest.with.toFixed(0)}, median ratio ${median(sorted).toFixed(3)}, 95 % interval ${low.toFixed(3)} to ${high.toFixed(3)}`,
  );
}

async function startServer(name) {
  const child = fork(fileURLToPath(import.meta.url), [name]);
  const [{ port }] = await once(child, "message");
  return { child, port, agent: new Agent({ keepAlive: true, maxSockets: CONNECTIONS }) };
}

/** CPU microseconds of the server for each request. */
async function runRound({ child, port, agent }) {
  const before = await readCpu(child);
  let left = REQUESTS;
  const work = async () => {
    while (left-- > 0) await request(port, agent);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  const after = await readCpu(child);
  return (after.user + after.system - before.user - before.system) / REQUESTS;
}

async function readCpu(child) {
  child.send("cpu");
  const [{ cpu }] = await once(child, "message");
  return cpu;
}

function request(port, agent) {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, agent }, (response) => {
      response.resume();
      response.on("end", resolve);
    }).on("error", reject);
  });
}

/** Where the median of the pairs lies, in 95 of 100 draws of as many of them. */
function bootstrap(ratios) {
  const medians = Array.from({ length: 2000 }, () =>
    median(
      ratios.map(() => ratios[Math.floor(Math.random() * ratios.length)]).sort((left, right) => left - right),
    ),
  ).sort((left, right) => left - right);
  return [medians[50], medians[1949]];
}

function median(sorted) {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
