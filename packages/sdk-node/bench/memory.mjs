// Resident memory and start-up CPU of the SDK at its defaults, with it against without it in pairs of processes on every Node
// line. As it is packed: build, and run scripts/bundle-sdk.mjs, first. Arguments: pairs for memory (3), pairs for start-up (9).
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(import.meta.url);
const register = new URL("../bundle/register.js", import.meta.url).href;
const MIB = 2 ** 20;

const users = Array.from({ length: 60 }, (_, id) => ({ id, name: `user ${id}`, tags: ["a", "b", `${id}`] }));

/** Work whose garbage dies young, so that the program's own heap stays as it is. */
async function beBusy(ms) {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    for (let i = 0; i < 30; i++) JSON.parse(JSON.stringify(users));
    await sleep(8);
  }
}

async function runMemory(hasSdk) {
  createServer((_request, response) => response.end()).listen(0, "127.0.0.1");
  await beBusy(1000);
  if (hasSdk) await import(register);
  await beBusy(12_000);
  const readings = [];
  for (let i = 0; i < 20; i++) {
    readings.push(process.memoryUsage.rss() / MIB);
    await beBusy(100);
  }
  process.stdout.write(`${median(readings)}\n`);
}

function runStart() {
  const { user, system } = process.cpuUsage();
  process.stdout.write(`${(user + system) / 1000}\n`);
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

async function measure(node, args, serverAddress) {
  const child = spawn(node, args, {
    env: {
      PYROSCOPE_APPLICATION_NAME: "bench",
      PYROSCOPE_SERVER_ADDRESS: serverAddress,
      PYROSCOPE_UPLOAD_RATE: "2s",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [bytes] = await new Promise((resolve) => child.stdout.once("data", (...data) => resolve(data)));
  child.kill("SIGKILL");
  return Number(bytes);
}

/** Medians without and with the SDK, and of the differences of pairs, whose order alternates. */
async function measurePairs(node, count, argsOf, serverAddress) {
  const pairs = [];
  for (let i = 0; i < count; i++) {
    const values = {};
    for (const hasSdk of i % 2 === 0 ? [false, true] : [true, false])
      values[hasSdk] = await measure(node, argsOf(hasSdk), serverAddress);
    pairs.push(values);
  }
  const of = (read) => median(pairs.map(read)).toFixed(0);
  return [of((pair) => pair.false), of((pair) => pair.true), of((pair) => pair.true - pair.false)];
}

async function compare(memoryPairs, startPairs) {
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.writeHead(200, { "content-type": "application/proto" }).end());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${server.address().port}`;
  const lines = ["20", "22", "26"].map((major) =>
    fileURLToPath(new URL(`../../../e2e/node_modules/node${major}/bin/node`, import.meta.url)),
  );
  console.log("| Node | MiB without | with | more | start-up CPU, ms without | with | more |");
  console.log("|---|---|---|---|---|---|---|");
  for (const node of [process.execPath, ...lines].filter((path) => existsSync(path))) {
    const memory = (hasSdk) => [program, "memory", ...(hasSdk ? ["sdk"] : [])];
    const start = (hasSdk) => [...(hasSdk ? ["--import", register] : []), program, "start"];
    const cells = [
      ...(await measurePairs(node, memoryPairs, memory, address)),
      ...(await measurePairs(node, startPairs, start, address)),
    ];
    const version = await measure(node, ["-p", "parseInt(process.versions.node)"], address);
    console.log(`| ${version} | ${cells.join(" | ")} |`);
  }
  server.close();
}

const [what, argument] = process.argv.slice(2);
if (what === "memory") await runMemory(argument === "sdk");
else if (what === "start") runStart();
else await compare(Number(what ?? 3), Number(argument ?? 9));
