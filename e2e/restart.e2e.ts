import { setTimeout as sleep } from "node:timers/promises";
import { encodePprof, type Profile } from "@pyroscope-ts/protocol";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { tortureCount } from "../packages/receiver/src/store/testing/torture.ts";
import { createReceiverClient, type ReceiverClient } from "./harness/client.ts";
import { readSamples } from "./harness/fake-receiver.ts";
import {
  makeDataDirectory,
  type ReceiverProcess,
  startReceiver,
  waitUntilReady,
} from "./harness/receiver-process.ts";

const WRITERS = 8;
const KILLS = tortureCount(20, 100);
const ALL = { from: "19710101", until: "20990101" };

let directory: string;
let removeDirectory: () => Promise<void>;
let receiver: ReceiverProcess | undefined;

beforeEach(async () => {
  const made = await makeDataDirectory();
  directory = made.path;
  removeDirectory = made.remove;
});

afterEach(async () => {
  await receiver?.stop("SIGKILL");
  await removeDirectory();
});

async function startReady(): Promise<ReceiverClient> {
  receiver = await startReceiver({ directory, flags: ["--log-level", "error"] });
  await waitUntilReady(receiver.address);
  return createReceiverClient(receiver.address);
}

/** A profile with one function that no other profile has. */
function profileOf(name: string): Uint8Array {
  return encodePprof(profileFromText(`main\n${name}`, { timeUnixNanos: BigInt(Date.now()) * 1_000_000n }));
}

/** What writers pushed, over all lives of the receiver. */
class Ledger {
  readonly acknowledged = new Set<string>();
  /** Per writer: a push that has no answer yet. It is sent again, the same bytes, as an agent does. */
  readonly #unanswered = new Map<number, { readonly name: string; readonly payload: Uint8Array }>();
  #count = 0;

  /** Pushes one profile after the other until the receiver is gone. */
  async write(client: ReceiverClient, writer: number): Promise<void> {
    const labels = [
      { name: "__name__", value: "process_cpu" },
      { name: "service_name", value: `writer-${writer}` },
    ];
    for (;;) {
      const push = this.#unanswered.get(writer) ?? this.#next(writer);
      this.#unanswered.set(writer, push);
      try {
        await client.pusher().push({ series: [{ labels, samples: [{ rawProfile: push.payload }] }] });
      } catch {
        return;
      }
      this.#unanswered.delete(writer);
      this.acknowledged.add(push.name);
    }
  }

  #next(writer: number): { readonly name: string; readonly payload: Uint8Array } {
    const name = `writer_${writer}_push_${this.#count++}`;
    return { name, payload: profileOf(name) };
  }
}

/** How often each function was stored, by the profiles that the receiver serves. */
function countByLeaf(profile: Profile): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { frames, value } of readSamples(profile)) {
    const leaf = frames[0]?.name ?? "";
    counts.set(leaf, (counts.get(leaf) ?? 0) + value);
  }
  return counts;
}

it(`has every acknowledged profile once after ${KILLS} kills under ${WRITERS} writers`, {
  timeout: 15_000 * KILLS,
}, async () => {
  const ledger = new Ledger();
  for (let kill = 0; kill < KILLS; kill++) {
    const client = await startReady();
    const writers = Array.from({ length: WRITERS }, (_, writer) => ledger.write(client, writer));
    await sleep(20 + Math.random() * 400);
    if (kill % 3 === 2) {
      // Into the flush at its end.
      receiver?.process.kill("SIGTERM");
      await sleep(Math.random() * 150);
    }
    await receiver?.stop("SIGKILL");
    await Promise.all(writers);
  }

  const client = await startReady();
  const counts = countByLeaf(await client.renderPprof("process_cpu:samples:count::{}", ALL));

  const lost = [...ledger.acknowledged].filter((name) => !counts.has(name));
  const repeated = [...counts].filter(([, count]) => count !== 1);
  expect({ lost, repeated }).toEqual({ lost: [], repeated: [] });
  // Each writer may have one more that was stored and not answered.
  expect(counts.size - ledger.acknowledged.size).toBeLessThanOrEqual(WRITERS);
  expect(ledger.acknowledged.size).toBeGreaterThan(KILLS * WRITERS);
});

it("refuses a second process on the data directory and names the first", async () => {
  await startReady();

  const second = startReceiver({ directory, flags: ["--log-level", "error"] });

  await expect(second).rejects.toThrow(`in use by process ${receiver?.process.pid}`);
});

it("starts on the directory of a process that was killed", async () => {
  await startReady();
  await receiver?.stop("SIGKILL");

  const client = await startReady();

  expect((await client.get("/ready")).status).toBe(200);
});
