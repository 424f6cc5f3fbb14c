/** What a process does of the whole: everything, or one part of a deployment that shares a bucket and a catalog. */
export type Target = "all" | "write" | "read" | "compact";

/** Words of `--target`: ours, and the names of Pyroscope's components. */
const targets: ReadonlyMap<string, Target> = new Map<string, Target>([
  ["all", "all"],
  ["write", "write"],
  ["distributor", "write"],
  ["ingester", "write"],
  ["segment-writer", "write"],
  ["read", "read"],
  ["querier", "read"],
  ["query-frontend", "read"],
  ["query-scheduler", "read"],
  ["store-gateway", "read"],
  ["compact", "compact"],
  ["compactor", "compact"],
]);

/** Every word that {@link parseTarget} takes. */
export const TARGET_WORDS: readonly string[] = [...targets.keys()];

/** Reads one word or several with commas between them; more than one part is everything. */
export function parseTarget(text: string): Target | undefined {
  const parts = new Set(text.split(",").map((word) => targets.get(word.trim())));
  if (parts.has(undefined)) return undefined;
  const [first] = parts;
  return parts.size === 1 ? first : "all";
}
