import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mutate } from "../fuzz/mutate.ts";
import { seeds } from "../fuzz/seeds.ts";
import { run, targets } from "../fuzz/targets.ts";

// `npm run test:fuzz` looks for defects for as long as one likes. Here: a few hundred changes of each seed, the same
// in every run, and everything that was ever found.
const RUNS = 300;
const crashes = fileURLToPath(new URL("../fuzz/crashes/", import.meta.url));

const found = (name: string): readonly string[] =>
  existsSync(`${crashes}${name}`)
    ? readdirSync(`${crashes}${name}`).map((file) => `${crashes}${name}/${file}`)
    : [];

describe.for(Object.keys(targets))("decoder of %s", (name) => {
  it("takes each of its seeds", () => {
    expect(seeds[name]?.length).toBeGreaterThan(0);
    for (const seed of seeds[name] ?? []) targets[name]?.(new Uint8Array(seed));
  });

  it("takes changed uploads or refuses them with an error of ours", () => {
    const corpus = (seeds[name] ?? []).filter(({ length }) => length < 2 ** 14);
    const choices = fc.infiniteStream(fc.nat());

    fc.assert(
      fc.property(fc.constantFrom(...corpus), fc.constantFrom(...corpus), choices, (seed, other, stream) => {
        const pick = (below: number): number => stream.next().value % below;
        run(name, new Uint8Array(mutate(seed, other, pick)));
      }),
      { numRuns: RUNS, seed: 20_261_127 },
    );
  });

  it.for(found(name))("takes or refuses %s, which once was a defect", (file) => {
    run(name, new Uint8Array(readFileSync(file)));
  });
});
