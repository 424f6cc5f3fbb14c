// What the store costs: node --conditions=@pyroscope-ts/source packages/receiver/bench/store.ts [section ...]
import { benchCompaction, benchSmallFiles } from "./compaction-section.ts";
import { benchIngest } from "./ingest-section.ts";
import { benchMerge } from "./merge-section.ts";
import { benchStages } from "./stages-section.ts";
import { benchYears } from "./years-section.ts";

const sections: Readonly<Record<string, () => Promise<void>>> = {
  stages: benchStages,
  ingest: benchIngest,
  merge: benchMerge,
  years: benchYears,
  files: benchSmallFiles,
  compaction: benchCompaction,
};

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in sections));
if (unknown !== undefined) {
  throw new Error(`section ${unknown}: expected one of ${Object.keys(sections).join(", ")}`);
}
for (const [name, run] of Object.entries(sections)) {
  if (wanted.length === 0 || wanted.includes(name)) await run();
}
