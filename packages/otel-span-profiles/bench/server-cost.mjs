// What profiling with span ids costs a whole HTTP server that is traced already: CPU time of the server's process for each
// request, with OpenTelemetry and the profiler with its span processor, divided by that with OpenTelemetry alone.
//     node packages/otel-span-profiles/bench/server-cost.mjs [pairs]        (any Node line; needs a build)
// Two servers of the same kind differ by 8 %, as V8 compiles each a little differently: so many pairs of servers are
// started, one of each kind, which take turns in random order. The ratios of the pairs give the median and its interval.
import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, createServer, get } from "node:http";
import { fileURLToPath } from "node:url";

const PAIRS = Number(process.argv[2] ?? 30);
const ROUNDS = 6;
const REQUESTS = 1500;
const CONNECTIONS = 8;
const WARM_UP_ROUNDS = 4;

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
      // A third of the default: a server lives for some seconds here, and has to pay for windows, too.
      uploadRate: "5s",
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
  const ratios = [];
  const sums = { without: 0, with: 0 };
  for (let pair = 0; pair < PAIRS; pair++) {
    const { without, with: profiled } = await measurePair();
    ratios.push(profiled / without);
    sums.without += without;
    sums.with += profiled;
  }
  const [low, high] = bootstrap(ratios);
  console.log(
    `Node ${process.version}, ${PAIRS} pairs of servers, ${ROUNDS} rounds of ${REQUESTS} requests each: ` +
      `${(sums.without / PAIRS).toFixed(0)} -> ${(sums.with / PAIRS).toFixed(0)} us of CPU a request, ` +
      `median ratio ${median(sorted(ratios)).toFixed(3)}, 95 % interval ${low.toFixed(3)} to ${high.toFixed(3)}`,
  );
}

/** CPU microseconds for a request of a new server of each kind: the mean of its rounds, ends of windows among them. */
async function measurePair() {
  const sides = { without: await startServer("without"), with: await startServer("with") };
  for (let i = 0; i < WARM_UP_ROUNDS; i++) for (const side of Object.values(sides)) await runRound(side);
  const micros = { without: [], with: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const order = Math.random() < 0.5 ? ["without", "with"] : ["with", "without"];
    for (const name of order) micros[name].push(await runRound(sides[name]));
  }
  for (const { child, agent } of Object.values(sides)) {
    agent.destroy();
    child.kill();
  }
  return { without: mean(micros.without), with: mean(micros.with) };
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
  const draw = () => ratios.map(() => ratios[Math.floor(Math.random() * ratios.length)]);
  const medians = sorted(Array.from({ length: 2000 }, () => median(sorted(draw()))));
  return [medians[50], medians[1949]];
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function sorted(values) {
  return values.toSorted((left, right) => left - right);
}

function median(values) {
  const middle = values.length >> 1;
  return values.length % 2 === 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}
