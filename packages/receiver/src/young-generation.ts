import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

const MEBIBYTE = 1024 * 1024;

// Half of what new objects may take of a thread: V8 copies those that live from one half into the other.
const SEMI_SPACE_MEBIBYTES = 8;
/** What {@link boundYoungGeneration} lets the young generation of a thread grow to. */
export const YOUNG_GENERATION_BYTES: number = 2 * SEMI_SPACE_MEBIBYTES * MEBIBYTE;

/**
 * Bounds what objects take of each thread before they are collected for the first time. Every push makes a few hundred kilobytes of
 * them, and V8 gives them 128 MB of a thread where the machine has much memory, and buffers that wait for that collection come on top.
 *
 * Call it before other threads begin: they start with the bound. That of the first thread is older than any call; its part is kept
 * from growing when it has its size.
 */
export function boundYoungGeneration(checkIntervalMs = 250): void {
  setFlagsFromString(`--min-semi-space-size=${SEMI_SPACE_MEBIBYTES}`);
  setFlagsFromString(`--max-semi-space-size=${SEMI_SPACE_MEBIBYTES}`);
  let isBounded = false;
  const check = (): void => {
    // V8 takes some of it back while nothing happens.
    const isFull = newSpaceBytes() >= YOUNG_GENERATION_BYTES;
    if (isFull === isBounded) return;
    isBounded = isFull;
    setFlagsFromString(`--semi-space-growth-factor=${isFull ? 1 : 2}`);
  };
  setInterval(check, checkIntervalMs).unref();
}

function newSpaceBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === "new_space")?.space_size ?? 0;
}
