// Burns CPU in two functions, one of them under a label, with Pyroscope's profiler for Node.js.
import { setTimeout } from "node:timers/promises";
import Pyroscope from "@pyroscope/nodejs";

const [, , address, service, seconds] = process.argv;

/** Works until the process has used so much CPU time: a busy machine makes it longer, not different. */
function burn(untilMicros) {
  let sum = 0;
  while (process.cpuUsage().user < untilMicros) {
    for (let i = 1; i < 20_000; i++) sum += Math.sqrt(i) * Math.sin(i);
  }
  return sum;
}

function hotCheckout(untilMicros) {
  return burn(untilMicros) + 1;
}

function coldSearch(untilMicros) {
  return burn(untilMicros) + 2;
}

const retained = [];
function retainRecords() {
  for (let i = 0; i < 400_000; i++) retained.push({ id: i, name: `record ${i}` });
}

Pyroscope.init({
  appName: service,
  serverAddress: address,
  tags: { region: "eu" },
  flushIntervalMs: 1000,
  wall: { collectCpuTime: true, samplingDurationMs: 60_000 },
  heap: { samplingIntervalBytes: 65_536 },
});
Pyroscope.start();
await setTimeout(100);
retainRecords();
const start = process.cpuUsage().user;
const work = Number(seconds) * 1_000_000;
Pyroscope.wrapWithLabels({ route: "/checkout" }, () => hotCheckout(start + work * 0.75));
coldSearch(start + work);
// Heap profiles are uploaded by a timer, which had no turn while this thread worked.
await setTimeout(2500);
// A round of this client that is due while it stops finds its profiler gone, and rejects where nobody can catch it.
process.on("unhandledRejection", (error) => {
  if (error?.message !== "Wall profiler is not started") throw error;
});
await Pyroscope.stop();
console.log(JSON.stringify({ cpuSeconds: Number(seconds), retained: retained.length }));
