import type { LocationIndex } from "../profile/profile.ts";

const SEMICOLON = 0x3b;

/**
 * Where a walk through a trie of folded stacks is: the bytes from the root to a node, and the frames in them.
 *
 * A node shares nearly all of its frames with the one before it. Those keep their locations, so that a walk costs what its
 * nodes add, not what their stacks are when each is written out.
 */
export class TriePath {
  #bytes = new Uint8Array(256);
  /** Bytes up to the end of each open node, and whole frames in them. */
  readonly #nodeEnds: number[] = [];
  readonly #nodeFrames: number[] = [];
  /** Where the semicolon behind each whole frame stands. */
  readonly #frameEnds: number[] = [];
  #locations: LocationIndex[] = [];

  /** Goes to a node: a child of the last one that was entered at `depth - 1`. */
  enter(name: Uint8Array, depth: number): void {
    const start = depth === 0 ? 0 : (this.#nodeEnds[depth - 1] ?? 0);
    const end = start + name.length;
    if (end > this.#bytes.length) this.#grow(end);
    this.#bytes.set(name, start);
    let frames = depth === 0 ? 0 : (this.#nodeFrames[depth - 1] ?? 0);
    if (this.#locations.length > frames) this.#locations.length = frames;
    for (let at = name.indexOf(SEMICOLON); at !== -1; at = name.indexOf(SEMICOLON, at + 1)) {
      this.#frameEnds[frames++] = start + at;
    }
    this.#nodeEnds.length = depth;
    this.#nodeFrames.length = depth;
    this.#nodeEnds.push(end);
    this.#nodeFrames.push(frames);
  }

  /**
   * The locations of the stack that ends here, root first. What is behind the last semicolon is its last frame, and may
   * go on in a child.
   *
   * @param locationOf - asked for each frame that is not known yet, and for the last one always.
   */
  locations(locationOf: (frame: Uint8Array) => LocationIndex): readonly LocationIndex[] {
    const frames = this.#nodeFrames.at(-1) ?? 0;
    for (let i = this.#locations.length; i < frames; i++) {
      this.#locations.push(locationOf(this.#bytes.subarray(this.#startOf(i), this.#frameEnds[i])));
    }
    const last = this.#bytes.subarray(this.#startOf(frames), this.#nodeEnds.at(-1));
    return [...this.#locations, locationOf(last)];
  }

  #startOf(frame: number): number {
    return frame === 0 ? 0 : (this.#frameEnds[frame - 1] ?? 0) + 1;
  }

  #grow(byteLength: number): void {
    const grown = new Uint8Array(Math.max(byteLength, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
