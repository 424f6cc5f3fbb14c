// A process with a store that tests kill: store-life.ts DIRECTORY NAME (script|loop|patient). Run from the sources, by Node 24.
// Prints `ready`, then `acknowledged TENANT LEAF` for each profile that is durable, and `done` at the end of the script.
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../clock.ts";
import { openStore } from "../local-store.ts";
import { nodeFs } from "../node-fs.ts";
import type { Store } from "../store.ts";
import { expandPlain, type PlainProfile, plainAdmission } from "./plain-profile.ts";

const HOUR_MS = 3_600_000;
const WRITERS = 8;
/** Its profiles are past the retention: they come and go, and nobody counts them. */
const FLEETING_TENANT = "fleeting";

const [directory = "", name = "", mode = ""] = process.argv.slice(2);

function say(line: string): void {
  // At once: what was said before the process died must be heard.
  writeSync(1, `${line}\n`);
}

function profileOf(leaf: string, ageMs: number): PlainProfile {
  return {
    service: `service-${leaf.length % 3}`,
    timeUnixMillis: Date.now() - ageMs,
    samples: [{ stack: ["main", leaf], value: 1 }],
    identity: leaf,
  };
}

/** Appends a profile, every fifth twice, as a client does that saw no answer. */
async function append(store: Store, tenant: string, number: number): Promise<void> {
  const leaf = `${name}_${tenant}_${number}`;
  const admission = plainAdmission(tenant, [profileOf(leaf, 0)]);
  if (number % 5 === 0) await Promise.all([store.append(admission), store.append(admission)]);
  else await store.append(admission);
  say(`acknowledged ${tenant} ${leaf}`);
}

async function appendFleeting(store: Store, number: number): Promise<void> {
  await store.append(plainAdmission(FLEETING_TENANT, [profileOf(`${name}_${number}`, 2 * HOUR_MS)]));
}

/** The same accesses to the disk in every run: log, flush, merge, retention, close. */
async function runScript(store: Store): Promise<void> {
  for (let round = 0; round < 3; round++) {
    for (const tenant of ["a", "b"]) {
      await append(store, tenant, 2 * round);
      await append(store, tenant, 2 * round + 1);
    }
    await appendFleeting(store, round);
    await store.flush();
  }
  await store.compact();
  await append(store, "a", 6);
  // What one sweep marks, the second deletes.
  await store.applyRetention();
  await store.applyRetention();
  await append(store, "b", 7);
  await store.close();
  say("done");
}

/** @param attempt - Runs each access to the store. */
async function runLoop(store: Store, attempt: (act: () => Promise<unknown>) => Promise<void>): Promise<void> {
  const write = async (writer: number): Promise<void> => {
    for (let number = writer; ; number += WRITERS) {
      await attempt(() => append(store, number % 2 === 0 ? "a" : "b", number));
    }
  };
  const maintain = async (): Promise<void> => {
    for (let round = 0; ; round++) {
      await attempt(() => appendFleeting(store, round));
      await attempt(() => store.flush());
      await attempt(() => store.compact());
      await attempt(() => store.applyRetention());
      await sleep(5);
    }
  };
  await Promise.all([maintain(), ...Array.from({ length: WRITERS }, (_, writer) => write(writer))]);
}

/** As a client does that is told to come again. */
async function tryUntilItWorks(act: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await act();
      return;
    } catch (error) {
      say(`refused ${String(error)}`);
      await sleep(50);
    }
  }
}

const store = await openStore({
  directory,
  fs: nodeFs,
  clock: systemClock,
  expand: expandPlain,
  retentionMillis: HOUR_MS,
  log: (line) => process.stderr.write(`${line}\n`),
  compaction: { maxFlushedBlocks: 2 },
  database: { threadCount: 1 },
});
say("ready");
if (mode === "script") await runScript(store);
if (mode === "loop") await runLoop(store, async (act) => void (await act()));
if (mode === "patient") await runLoop(store, tryUntilItWorks);
