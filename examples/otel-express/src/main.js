// The demo: starts both services, sends them requests, stops them, and says which span was the slowest.
//
//     node src/main.js [--rounds 20] [--spans directory]
//
// Profiles go to PYROSCOPE_SERVER_ADDRESS, http://127.0.0.1:4040 if that is not set.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { PYROSCOPE_SERVER_ADDRESS: receiver = "http://127.0.0.1:4040" } = process.env;

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "20" },
    spans: { type: "string", default: "." },
  },
});

const startedMs = Date.now();
const stock = await startService("stock");
const shop = await startService("shop", { STOCK_ADDRESS: stock.address });

for (let round = 0; round < Number(options.rounds); round++) {
  for (const path of ["/cart", "/checkout"]) await request(path);
  // Once in a while somebody wants the report.
  if (round % 10 === 5) await request("/report");
}
await Promise.all([shop.stop(), stock.stop()]);

const [slowest] = (await readSpans("shop"))
  .filter(({ profileId }) => profileId !== undefined)
  .sort((left, right) => right.durationMs - left.durationMs);
const range = { from: String(startedMs - 60_000), until: String(Date.now()) };
const view = new URLSearchParams({ q: '{service_name="shop"}', ...range, span_id: slowest.profileId });
console.log(
  `The slowest span: ${slowest.name}, ${slowest.durationMs.toFixed(0)} ms, in trace ${slowest.traceId}.`,
);
console.log(`What it did: ${receiver}/?${view}`);

async function startService(name, env = {}) {
  const child = spawn(
    process.execPath,
    [
      "--import",
      new URL("tracing.js", import.meta.url).href,
      fileURLToPath(new URL(`${name}.js`, import.meta.url)),
    ],
    {
      env: { ...process.env, ...env, PORT: "0", OTEL_SERVICE_NAME: name, SPANS_DIRECTORY: options.spans },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const ended = once(child, "exit");
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    ended.then(([code]) => {
      throw new Error(`${name} exited with ${code} before it listened`);
    }),
  ]);
  return {
    address: line.split(" ").at(-1),
    async stop() {
      child.kill("SIGTERM");
      const [code] = await ended;
      if (code !== 0) console.error(`${name}: exited with ${code}; is a receiver running on ${receiver}?`);
    },
  };
}

async function request(path) {
  const response = await fetch(`${shop.address}${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  await response.arrayBuffer();
}

async function readSpans(service) {
  return JSON.parse(await readFile(join(options.spans, `${service}.spans.json`), "utf8"));
}
