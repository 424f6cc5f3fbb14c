import type { LabelValues } from "../options.ts";
import type { Label } from "./label.ts";
import { formatLabelValue, isIdLabel, OVERFLOW_VALUE, sanitizeLabelName, sortLabels } from "./label.ts";
import type { SampleContext } from "./sample-context.ts";

/** A label set of samples. One object per content, so that sets are compared and counted by identity. */
export interface LabelSet {
  /** Sorted by name. */
  readonly labels: readonly Label[];
  /** The same as an object, frozen. */
  readonly record: Readonly<Record<string, string>>;
  /** What samples with these labels and nothing else carry. */
  readonly context: SampleContext;
}

/** Bounds on the label sets of one run: each set becomes a series on the server. */
export interface LabelLimits {
  /** Different values of one name. */
  readonly maxValues: number;
  /** Different sets. */
  readonly maxSets: number;
  /** Labels in one set. */
  readonly maxLabels: number;
}

// Within a loop over names V8 compiles this to nothing, unlike Object.hasOwn, which takes 12 ns for each.
const hasOwn = Object.prototype.hasOwnProperty;

// Names come from code, values from data: a program with more names than this builds names from data.
const MAX_NAMES = 64;

/** A set with what has been derived from it: the fast path of {@link LabelSets.merge}. */
interface InternedSet extends LabelSet {
  /** By name and value as the caller wrote them. */
  readonly next: Map<string, Map<unknown, InternedSet>>;
  /** By name: the set with that name's value overflown. */
  readonly overflow: Map<string, InternedSet>;
}

/**
 * Every label set of one run, each once.
 *
 * Merging the same labels into the same set again costs two map look-ups per label; only new ones are
 * sanitised, checked against the limits and sorted. At a limit a value becomes `__overflow__` and `report` is
 * told once: time is never lost, only told apart less finely.
 */
export class LabelSets {
  readonly empty: LabelSet;
  /** True once labels to merge had an id among them. */
  hasSeenIds = false;
  readonly #empty: InternedSet;
  readonly #limits: LabelLimits;
  readonly #report: (key: string, message: string) => void;
  readonly #byContent = new Map<string, InternedSet>();
  readonly #valuesByName = new Map<string, Set<string>>();

  constructor(limits: LabelLimits, report: (key: string, message: string) => void) {
    this.#limits = limits;
    this.#report = report;
    this.#empty = createSet([]);
    this.empty = this.#empty;
  }

  /** `parent` with `labels` added, without ids; where both have a name, the value of `labels` counts. */
  merge(parent: LabelSet, labels: LabelValues): LabelSet {
    // Sets are only made here, so every LabelSet is an InternedSet.
    let set = parent as InternedSet;
    for (const name in labels) {
      if (!hasOwn.call(labels, name)) continue;
      if (isIdLabel(name)) {
        this.hasSeenIds = true;
        continue;
      }
      const value: unknown = labels[name];
      set = set.next.get(name)?.get(value) ?? this.#add(set, name, value);
    }
    return set;
  }

  #add(set: InternedSet, rawName: string, rawValue: unknown): InternedSet {
    const name = sanitizeLabelName(rawName);
    const value = formatLabelValue(rawValue);
    if (name === undefined || (value === undefined && rawValue !== undefined && rawValue !== null)) {
      if (rawValue !== "") this.#reportInvalid(rawName);
      return set;
    }
    if (value === undefined || !this.#hasRoomForName(set, name)) return set;
    if (!this.#isKnownValue(name, value)) return this.#overflow(set, name);
    const next = this.#intern(set, name, value);
    if (next !== set) remember(set, rawName, rawValue, next);
    return next;
  }

  /** Values beyond the limit are without number: only the set that they all share is remembered. */
  #overflow(set: InternedSet, name: string): InternedSet {
    const known = set.overflow.get(name);
    if (known !== undefined) return known;
    const next = this.#intern(set, name, OVERFLOW_VALUE);
    set.overflow.set(name, next);
    return next;
  }

  #reportInvalid(name: string): void {
    this.#report(
      "label-invalid",
      `label ${JSON.stringify(name.slice(0, 100))} ignored: its name or value is not valid`,
    );
  }

  #hasRoomForName(set: InternedSet, name: string): boolean {
    const isFull = set.labels.length >= this.#limits.maxLabels && set.record[name] === undefined;
    const isNewName = !this.#valuesByName.has(name);
    if (!isFull && !(isNewName && this.#valuesByName.size >= MAX_NAMES)) return true;
    this.#report(
      "label-names",
      `label ${name} ignored: a sample has at most ${this.#limits.maxLabels} labels, a program ${MAX_NAMES} names`,
    );
    return false;
  }

  /** Counts `value` in, unless that would pass the limit. */
  #isKnownValue(name: string, value: string): boolean {
    const values = this.#valuesByName.get(name) ?? new Set();
    this.#valuesByName.set(name, values);
    if (values.has(value)) return true;
    if (values.size < this.#limits.maxValues) {
      values.add(value);
      return true;
    }
    this.#report(
      `label-values:${name}`,
      `label ${name} has more than ${this.#limits.maxValues} values (maxLabelValues): further ones become ${OVERFLOW_VALUE}`,
    );
    return false;
  }

  #intern(parent: InternedSet, name: string, value: string): InternedSet {
    const labels = sortLabels(Object.entries({ ...parent.record, [name]: value }));
    const key = JSON.stringify(labels.map((label) => [label.name, label.value]));
    const known = this.#byContent.get(key);
    if (known !== undefined) return known;
    if (this.#byContent.size < this.#limits.maxSets || value === OVERFLOW_VALUE) {
      // Overflow sets pass the limit, but only as many as there are parents and names; twice is the end.
      if (this.#byContent.size >= 2 * this.#limits.maxSets) return parent;
      const set = createSet(labels);
      this.#byContent.set(key, set);
      return set;
    }
    this.#report(
      "label-sets",
      `samples have more than ${this.#limits.maxSets} label sets (maxLabelSets): further values become ${OVERFLOW_VALUE}`,
    );
    return this.#intern(parent, name, OVERFLOW_VALUE);
  }
}

function createSet(labels: readonly Label[]): InternedSet {
  const record = Object.freeze(Object.fromEntries(labels.map(({ name, value }) => [name, value])));
  const set: Omit<InternedSet, "context"> & { context: SampleContext | undefined } = {
    labels,
    record,
    context: undefined,
    next: new Map(),
    overflow: new Map(),
  };
  const complete = set as InternedSet;
  set.context = { labels: complete, ids: undefined, span: undefined };
  return complete;
}

// Raw spellings of one accepted label (1 and "1", "a-b" and "a_b") are few; a bound keeps it so.
const MAX_SPELLINGS = 10_000;

function remember(set: InternedSet, rawName: string, rawValue: unknown, next: InternedSet): void {
  const values = set.next.get(rawName) ?? new Map<unknown, InternedSet>();
  if (set.next.size >= MAX_SPELLINGS || values.size >= MAX_SPELLINGS) return;
  values.set(rawValue, next);
  set.next.set(rawName, values);
}
