import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findOwnFile } from "../own-files.ts";
import type { HeapSampler, NativeBindings } from "../profilers/native.ts";
import type { HeapLimitOrder } from "./heap-limit-order.ts";
import { sealOrder } from "./heap-limit-order.ts";

/** The program that the child process runs. */
export const EXPORT_PROGRAM = "heap-limit-export";

/**
 * Has a child process upload what is alive when V8 reaches its heap limit, before the program ends by that.
 *
 * The program itself cannot: it has no memory left to run JavaScript. V8 calls the native profiler, which writes the
 * sampled heap to a file of this user, starts the child, and waits for it.
 */
export class HeapLimitWatch {
  readonly #directory: string;
  readonly #command: readonly string[];

  /** @throws what the file system throws, and in a bundle, which has no program for the child. */
  constructor(order: HeapLimitOrder) {
    const { url, isTypeScript } = findOwnFile(`heap-limit/${EXPORT_PROGRAM}`);
    const { bytes, key } = sealOrder(order);
    // For this user only, as mkdtemp makes it.
    this.#directory = mkdtempSync(join(tmpdir(), "pyroscope-"));
    const orderPath = join(this.#directory, "heap-limit");
    writeFileSync(orderPath, bytes, { mode: 0o600 });
    const flags = isTypeScript ? ["--conditions=@pyroscope-ts/source"] : [];
    this.#command = [process.execPath, ...flags, fileURLToPath(url), orderPath, key];
  }

  /** The sampler of `native`, watched whenever it samples live objects. */
  watch(native: NativeBindings): HeapSampler {
    return {
      startHeapSampler: (intervalBytes, stackDepth) => {
        native.startHeapSampler(intervalBytes, stackDepth);
        // Ends with the sampler.
        native.watchHeapLimit(this.#command);
      },
      readHeapSampler: native.readHeapSampler,
      stopHeapSampler: native.stopHeapSampler,
    };
  }

  /** Removes the file; from then on a child has nothing to do. */
  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
