// Loaded before a service: `node --import ./tracing.js shop.js`. It starts the profiler, and OpenTelemetry with the
// instrumentations of http and Express. The one line that ties both together is `new PyroscopeSpanProcessor()`.
import { register } from "node:module";
import { ExpressInstrumentation } from "@opentelemetry/instrumentation-express";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { PyroscopeSpanProcessor } from "@pyroscope-ts/otel-span-profiles";
import { start, stop } from "@pyroscope-ts/sdk-node";
import { SpanFile } from "./span-file.js";

// ES modules are instrumented while they are loaded.
register("@opentelemetry/instrumentation/hook.mjs", import.meta.url);

const { OTEL_SERVICE_NAME: service = "shop", SPANS_DIRECTORY: directory = "." } = process.env;

start({ applicationName: service, uploadRate: "2s" });

const sdk = new NodeSDK({
  serviceName: service,
  // Nothing listens for metrics and logs here.
  metricReaders: [],
  logRecordProcessors: [],
  // In place of `new BatchSpanProcessor(new OTLPTraceExporter())`: no collector is needed to try this out.
  spanProcessors: [new PyroscopeSpanProcessor(), new SimpleSpanProcessor(new SpanFile(directory, service))],
  instrumentations: [new HttpInstrumentation(), new ExpressInstrumentation()],
});
sdk.start();

/** Writes what is left and sends the last profile. */
process.once("SIGTERM", async () => {
  await sdk.shutdown();
  const { ok } = await stop();
  process.exit(ok ? 0 : 1);
});
