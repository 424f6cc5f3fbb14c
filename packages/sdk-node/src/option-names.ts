/** Options as the caller wrote them. */
export type NamedOptions = Readonly<Record<string, unknown>>;

// Names that other Pyroscope SDKs have for the same. Go's differ from ours in upper and lower case only.
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["appname", "applicationName"],
  ["flushintervalms", "uploadRate"],
  ["uploadinterval", "uploadRate"],
  ["labels", "tags"],
]);

// Options of @pyroscope/nodejs that have nothing to set here: windows have the length of `uploadRate`, functions have
// plain names.
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(["sourcemapper", "stripfilenames", "shortenpaths"]);

/**
 * Options under the names of this package: what Go's `Config` and `@pyroscope/nodejs` call otherwise is renamed. Where an
 * option is there under its own name too, that counts. Unknown names stay, for the caller to report.
 *
 * @param names - the options of this package.
 */
export function renameOptions(options: NamedOptions, names: Iterable<string>): NamedOptions {
  const known = new Map(Array.from(names, (name) => [name.toLowerCase(), name]));
  const renamed = new Map<string, unknown>();
  for (const [key, value] of flattenGroups(options)) {
    const lower = key.toLowerCase();
    if (WITHOUT_EFFECT.has(lower)) continue;
    const name = ALIASES.get(lower) ?? known.get(lower) ?? key;
    if (name === key || !Object.hasOwn(options, name)) renamed.set(name, value);
  }
  return Object.fromEntries(renamed);
}

/** The groups `heap` and `wall` of `@pyroscope/nodejs` as single options. */
function flattenGroups(options: NamedOptions): (readonly [string, unknown])[] {
  return Object.entries(options).flatMap(([key, value]) => {
    if (!isGroup(value)) return [[key, value] as const];
    if (key === "heap") return readHeapGroup(value);
    return key === "wall" ? readWallGroup(value) : [[key, value] as const];
  });
}

function isGroup(value: unknown): value is NamedOptions {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readHeapGroup({ samplingIntervalBytes, stackDepth }: NamedOptions): (readonly [string, unknown])[] {
  return [
    ["heapSamplingIntervalBytes", samplingIntervalBytes],
    ["heapStackDepth", stackDepth],
  ];
}

function readWallGroup({ samplingIntervalMicros }: NamedOptions): (readonly [string, unknown])[] {
  return typeof samplingIntervalMicros === "number"
    ? [["sampleRate", Math.round(1_000_000 / samplingIntervalMicros)]]
    : [];
}
