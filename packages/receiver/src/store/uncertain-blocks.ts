import { dirname } from "node:path";
import type { Fs } from "./fs.ts";

/**
 * Directories of blocks whose commit failed behind its rename and was not taken back: each may be there, or be there again
 * after a crash, and nobody would know by then what was rolled up, merged or deleted without it.
 */
export class UncertainBlocks {
  readonly #fs: Pick<Fs, "remove" | "syncDirectory">;
  readonly #paths = new Set<string>();

  constructor(fs: Pick<Fs, "remove" | "syncDirectory">) {
    this.#fs = fs;
  }

  add(path: string): void {
    this.#paths.add(path);
  }

  /** Takes them back. @throws what the disk throws: until it does that, nothing may be written or deleted beside them. */
  async settle(): Promise<void> {
    for (const path of this.#paths) {
      await this.#fs.remove(path);
      await this.#fs.syncDirectory(dirname(path));
      this.#paths.delete(path);
    }
  }
}
