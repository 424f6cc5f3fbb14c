// What a span costs more with the processor than without, in nanoseconds of the process's CPU time, garbage collection on all
// threads included: pairs of rounds in one process, in random order.
//     node packages/otel-span-profiles/bench/span-cost.mjs [pairs]        (any Node line; needs a build)
import { context, trace } from "@opentelemetry/api";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { start, status, stop } from "@pyroscope-ts/sdk-node";
import { PyroscopeSpanProcessor } from "../dist/index.js";

const SPANS = 5000;
const PAIRS = Number(process.argv[2] ?? 201);

start({
  applicationName: "bench",
  serverAddress: "http://127.0.0.1:1",
  uploadRate: "1h",
  profileTypes: ["cpu", "wall"],
  logLevel: "off",
});

/** A tracer with a context manager of its own: what one side patches is not there on the other. */
function createSide(spanProcessors) {
  const provider = new NodeTracerProvider({ spanProcessors });
  provider.register();
  const manager = globalThis[Symbol.for("opentelemetry.js.api.1")].context;
  context.disable();
  trace.disable();
  return { manager, tracer: provider.getTracer("bench") };
}

// A processor that does nothing on both sides, as there is always an exporter's.
const other = { onStart() {}, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} };
const sides = {
  without: createSide([other]),
  with: createSide([other, new PyroscopeSpanProcessor()]),
};

const cases = {
  "root span": (tracer) => tracer.startActiveSpan("GET", (span) => span.end()),
  "root span with a child": (tracer) =>
    tracer.startActiveSpan("GET", (span) => {
      tracer.startActiveSpan("query", (child) => child.end());
      span.end();
    }),
  "root span over two awaits": (tracer) =>
    tracer.startActiveSpan("GET", async (span) => {
      await null;
      await null;
      span.end();
    }),
};

async function measure(side, call) {
  const { manager, tracer } = sides[side];
  // Not context.disable(): that would switch the manager off.
  globalThis[Symbol.for("opentelemetry.js.api.1")].context = manager.enable();
  const before = process.cpuUsage();
  for (let i = 0; i < SPANS; i += 100) {
    for (let k = 0; k < 100; k++) call(tracer);
    await null;
    await null;
    await null;
  }
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / SPANS;
}

const sorted = (values) => values.toSorted((a, b) => a - b);
const median = (values) => sorted(values)[values.length >> 1];

/** Where the median of the pairs lies, in 95 of 100 draws of as many of them. */
function bootstrap(values) {
  const draw = () => values.map(() => values[Math.floor(Math.random() * values.length)]);
  const medians = sorted(Array.from({ length: 1000 }, () => median(draw())));
  return [medians[25], medians[974]];
}

console.log(
  `Node ${process.version}, labels by ${status().labelMechanism}, ${PAIRS} pairs of ${SPANS} spans`,
);
for (const [name, call] of Object.entries(cases)) {
  for (const side of ["without", "with", "without", "with"]) await measure(side, call);
  const rounds = { without: [], with: [] };
  for (let pair = 0; pair < PAIRS; pair++) {
    const order = Math.random() < 0.5 ? ["without", "with"] : ["with", "without"];
    for (const side of order) rounds[side].push(await measure(side, call));
  }
  const differences = rounds.with.map((nanos, i) => nanos - rounds.without[i]);
  const [low, high] = bootstrap(differences);
  console.log(
    `${name.padEnd(28)} fastest ${Math.min(...rounds.without).toFixed(0)} -> ${Math.min(...rounds.with).toFixed(0)} ns, ` +
      `CPU median of differences ${median(differences).toFixed(0)} ns (95 % interval ${low.toFixed(0)} to ${high.toFixed(0)}), ` +
      `mean ${(differences.reduce((sum, value) => sum + value, 0) / PAIRS).toFixed(0)} ns`,
  );
}
await stop({ timeoutMs: 0 });
