import {
  DELTA_LABEL,
  getLabel,
  type Label,
  type LabelSet,
  PROFILE_NAME_LABEL,
  RESERVED_LABELS,
  SERVICE_NAME_LABEL,
  SESSION_ID_LABEL,
  sortLabels,
  UNKNOWN_SERVICE,
} from "@pyroscope-ts/protocol";

/**
 * Labels that no stored series has: those the server writes itself when it answers, `__delta__` (every profile is
 * stored as the difference it is), and `__session_id__` (it would make each restart of a process a new series), except for
 * tenants that allow some.
 *
 * Source: Pyroscope pkg/model/labels.go, pkg/distributor/distributor.go with `max_sessions_per_series` 0.
 */
const DROPPED_LABELS: ReadonlySet<string> = new Set([
  ...RESERVED_LABELS.filter((label) => label.writer === "server").map((label) => label.name),
  DELTA_LABEL,
  SESSION_ID_LABEL,
]);

/** Whether series never keep a label of this name, wherever it came from. */
export function isDroppedLabel(name: string): boolean {
  return DROPPED_LABELS.has(name);
}

/**
 * What profiles of Go's library for differences are called by scrapers, which name them by their path: `godeltaprof_memory`
 * is `memory`. Source: Pyroscope pkg/validation/relabeling.go.
 */
const DELTA_NAME = /^godeltaprof_(.*)$/s;

/** Label that keeps the name of a profile that is stored under another. */
const REPLACED_NAME_LABEL = "__name_replaced__";

/**
 * Makes the labels of a series of what a client sent: drops what is not stored, names the service if the client did
 * not, gives profiles of one kind one name, and sorts. A name that stands twice stays twice, for the check to refuse.
 *
 * @param profileName - value of `__name__` where the profile decides it; undefined to keep the client's.
 * @param maxSessions - how many values `__session_id__` can have; 0 to drop it.
 */
export function resolveSeriesLabels(labels: LabelSet, profileName?: string, maxSessions = 0): LabelSet {
  const kept: Label[] = labels
    .map(renameDelta)
    .filter(
      ({ name, value }) =>
        !isDroppedLabel(name) &&
        !(name === SERVICE_NAME_LABEL && value === "") &&
        !(name === PROFILE_NAME_LABEL && profileName !== undefined),
    );
  if (profileName !== undefined) kept.push({ name: PROFILE_NAME_LABEL, value: profileName });
  const session = maxSessions > 0 ? sessionBucket(labels, maxSessions) : undefined;
  if (session !== undefined) kept.push({ name: SESSION_ID_LABEL, value: session });
  const replaced = labels.find(({ name, value }) => name === PROFILE_NAME_LABEL && DELTA_NAME.test(value));
  if (replaced !== undefined && profileName === undefined) {
    kept.push({ name: REPLACED_NAME_LABEL, value: replaced.value });
  }
  if (!kept.some((label) => label.name === SERVICE_NAME_LABEL)) {
    kept.push({ name: SERVICE_NAME_LABEL, value: UNKNOWN_SERVICE });
  }
  return sortLabels(kept);
}

/** The id of a session is 64 bits, little-endian in hexadecimal; so is its bucket. Undefined for what is none. */
function sessionBucket(labels: LabelSet, maxSessions: number): string | undefined {
  const id = getLabel(labels, SESSION_ID_LABEL) ?? "";
  if (!/^[0-9a-f]{16}$/i.test(id)) return undefined;
  const bucket = Buffer.alloc(8);
  bucket.writeBigUInt64LE(Buffer.from(id, "hex").readBigUInt64LE() % BigInt(maxSessions));
  return bucket.toString("hex");
}

function renameDelta(label: Label): Label {
  if (label.name !== PROFILE_NAME_LABEL) return label;
  const [, name] = DELTA_NAME.exec(label.value) ?? [];
  return name === undefined ? label : { name: label.name, value: name };
}
