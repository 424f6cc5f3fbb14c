import { syncBuiltinESMExports } from "node:module";
import zlib from "node:zlib";

const OPEN = 0;
const BUSY = 1;
const CLOSED = 2;

// 2 MiB are compressed in less than 100 ms, where the machine has time for it.
const CLOSE_TIMEOUT_MS = 1000;

// Whoever emits `exit` by hand does not end: work goes on a little later then.
const CLOSED_MS = 1000;

/**
 * Shared by a thread that may end its process and one that compresses. Node ends the other threads of a process where they
 * are, and aborts the process when one has just made a handle of zlib: 3 of 100 exits beside a thread that compresses without
 * pause (`close before init`, Node 20 to 26).
 */
export type ZlibGate = Int32Array;

export function createZlibGate(): ZlibGate {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/** Waits for the compression that is under way, and lets no other begin. */
export function closeZlibGate(gate: ZlibGate): void {
  while (Atomics.compareExchange(gate, 0, OPEN, CLOSED) === BUSY) {
    if (Atomics.wait(gate, 0, BUSY, CLOSE_TIMEOUT_MS) === "timed-out") return;
  }
}

/** Runs `work` while the gate cannot be closed. */
export function passZlibGate<T>(gate: ZlibGate, work: () => T): T {
  // Mostly this thread ends here.
  if (Atomics.compareExchange(gate, 0, OPEN, BUSY) === CLOSED) {
    Atomics.wait(gate, 0, CLOSED, CLOSED_MS);
    Atomics.store(gate, 0, BUSY);
  }
  try {
    return work();
  } finally {
    Atomics.store(gate, 0, OPEN);
    Atomics.notify(gate, 0);
  }
}

/** Has all that this thread compresses at once pass the gate. For threads that are the SDK's alone. */
export function guardZlib(gate: ZlibGate): void {
  const { gzipSync, gunzipSync } = zlib;
  zlib.gzipSync = (...args) => passZlibGate(gate, () => gzipSync(...args));
  zlib.gunzipSync = (...args) => passZlibGate(gate, () => gunzipSync(...args));
  syncBuiltinESMExports();
}
