// What a span costs more with the processor than without, in nanoseconds: pairs of rounds in one process, in random order.
//     node packages/otel-span-profiles/bench/span-cost.mjs        (any Node line; needs a build)
import { context, trace } from "@opentelemetry/api";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { start, status, stop } from "@pyroscope-ts/sdk-node";
import { PyroscopeSpanProcessor } from "../dist/index.js";

const SPANS = 5000;
const PAIRS = 61;

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
  const start = process.hrtime.bigint();
  for (let i = 0; i < SPANS; i += 100) {
    for (let k = 0; k < 100; k++) call(tracer);
    await null;
    await null;
    await null;
  }
  const nanos = Number(process.hrtime.bigint() - start);
  const cpu = process.cpuUsage(before);
  return { nanos: nanos / SPANS, cpuNanos: ((cpu.user + cpu.system) * 1000) / SPANS };
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

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
  const differences = (key) => rounds.with.map((round, i) => round[key] - rounds.without[i][key]);
  const fastest = (side) => Math.min(...rounds[side].map(({ nanos }) => nanos));
  console.log(
    `${name.padEnd(28)} fastest ${fastest("without").toFixed(0)} -> ${fastest("with").toFixed(0)} ns, ` +
      `median of differences ${median(differences("nanos")).toFixed(0)} ns, CPU ${median(differences("cpuNanos")).toFixed(0)} ns`,
  );
}
await stop({ timeoutMs: 0 });
