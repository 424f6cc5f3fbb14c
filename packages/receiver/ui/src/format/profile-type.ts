import { formatValue, isTimeUnit, nanosPerUnit } from "./format-value.ts";

/** The parts of a profile type id: `process_cpu:cpu:nanoseconds:cpu:nanoseconds`. */
export interface ProfileTypeParts {
  readonly id: string;
  readonly name: string;
  readonly sampleType: string;
  readonly sampleUnit: string;
  readonly periodType: string;
  readonly periodUnit: string;
}

/** How a profile type is spoken of. */
export interface ProfileTypeInfo {
  readonly title: string;
  /** What it measures and what it is good for, in a sentence or two. */
  readonly help: string;
  /** Whether a profile is a state at one moment (live heap), not what happened during it. */
  readonly isInstant: boolean;
}

/** Splits an id; parts that are missing are "". */
export function parseProfileType(id: string): ProfileTypeParts {
  const [name = "", sampleType = "", sampleUnit = "", periodType = "", periodUnit = ""] = id.split(":");
  return { id, name, sampleType, sampleUnit, periodType, periodUnit };
}

// By name and sample type. A type that is not here is shown by its own names.
const KNOWN: Readonly<Record<string, ProfileTypeInfo>> = {
  "process_cpu:cpu": {
    title: "CPU time",
    help: "Time spent executing code on a processor. Wide frames burn CPU: start here when the process is busy.",
    isInstant: false,
  },
  "process_cpu:samples": {
    title: "CPU samples",
    help: "How often the sampler saw each stack while the process was on a processor.",
    isInstant: false,
  },
  "wall:wall": {
    title: "Wall-clock time",
    help: "Time that passed while code held the thread; in Node.js that is the thread of the event loop. A blocking call shows here, waiting for I/O does not.",
    isInstant: false,
  },
  "memory:inuse_space": {
    title: "Live heap",
    help: "Bytes that were allocated and not freed yet, by where they were allocated. Growth without end may be a leak.",
    isInstant: true,
  },
  "memory:inuse_objects": {
    title: "Live objects",
    help: "Objects that were allocated and not freed yet, by where they were allocated.",
    isInstant: true,
  },
  "memory:alloc_space": {
    title: "Allocated bytes",
    help: "Every byte allocated, freed since or not. Wide frames give the garbage collector its work.",
    isInstant: false,
  },
  "memory:alloc_objects": {
    title: "Allocated objects",
    help: "Every object allocated, freed since or not.",
    isInstant: false,
  },
  "block:contentions": {
    title: "Event-loop blocks",
    help: "How often the event loop was held up, by the code that held it.",
    isInstant: false,
  },
  "block:delay": {
    title: "Event-loop delay",
    help: "How long the event loop was held up, by the code that held it. This is what every other request waited for.",
    isInstant: false,
  },
  "wait:delay": {
    title: "Waiting",
    help: "Time spent awaiting: timers, files, sockets, by the code that awaited.",
    isInstant: false,
  },
  "gc:gc": {
    title: "Garbage collection",
    help: "Time spent collecting garbage, by the code that was running when it began.",
    isInstant: false,
  },
  "exceptions:samples": {
    title: "Exceptions",
    help: "Exceptions thrown, by where they were thrown, caught ones included.",
    isInstant: false,
  },
  "mutex:contentions": {
    title: "Mutex contentions",
    help: "How often a lock was waited for, by the code that held it.",
    isInstant: false,
  },
  "mutex:delay": {
    title: "Mutex delay",
    help: "Time spent waiting for locks, by the code that held them.",
    isInstant: false,
  },
  "goroutines:goroutine": {
    title: "Goroutines",
    help: "Goroutines alive, by where they stand.",
    isInstant: true,
  },
};

// The sample types that the server averages over time instead of summing.
const INSTANT_SAMPLE_TYPES: ReadonlySet<string> = new Set([
  "inuse_space",
  "inuse_objects",
  "goroutine",
  "goroutines",
]);

/** Title and help of a profile type; for one nobody described, its own names. */
export function describeProfileType(id: string): ProfileTypeInfo {
  const { name, sampleType, sampleUnit } = parseProfileType(id);
  const known = KNOWN[`${name}:${sampleType}`];
  if (known !== undefined) return known;
  return {
    title: name === sampleType ? name : `${name} ${sampleType}`,
    help: `Samples of ${sampleType || "an unnamed type"} in ${sampleUnit || "no unit"}, as the program sent them.`,
    isInstant: INSTANT_SAMPLE_TYPES.has(sampleType),
  };
}

/** A title within a sentence: `live heap`, but `CPU time`. */
export function titleInSentence(title: string): string {
  return /^[A-Z][a-z]/.test(title) ? `${title.charAt(0).toLowerCase()}${title.slice(1)}` : title;
}

/** Every profile type with a title and help, for the help page. */
export function listKnownTypes(): readonly ProfileTypeInfo[] {
  return Object.values(KNOWN);
}

/** How a timeline of a profile type is labelled: what its axis counts, and how one bucket becomes a point. */
export interface RateUnit {
  readonly axis: string;
  /** The value drawn for a bucket of `value` over `seconds`. */
  readonly toPoint: (value: number, seconds: number) => number;
  readonly format: (point: number) => string;
  /** As {@link format}, without what `axis` says already. */
  readonly formatTick: (point: number) => string;
}

// A millionth of a core is what a profile of some lines comes to; more digits say nothing.
const SMALLEST_SHOWN = 0.000001;

/**
 * Time divided by time is how many were busy at once: cores for CPU. Counts and bytes become a rate, live ones stay
 * what they are.
 */
export function chooseRateUnit(id: string): RateUnit {
  const { name, sampleUnit } = parseProfileType(id);
  if (describeProfileType(id).isInstant) {
    const format = (point: number): string => formatValue(point, sampleUnit);
    return {
      axis: sampleUnit === "bytes" ? "bytes live" : "live",
      toPoint: (value) => value,
      format,
      formatTick: format,
    };
  }
  if (isTimeUnit(sampleUnit)) {
    const isCpu = name === "process_cpu";
    const formatTick = (point: number): string =>
      point > 0 && point < SMALLEST_SHOWN ? `<${SMALLEST_SHOWN}` : formatValue(point, "count");
    return {
      axis: isCpu ? "cores" : "seconds per second",
      toPoint: (value, seconds) => (value * nanosPerUnit(sampleUnit)) / 1e9 / seconds,
      format: (point) => `${formatTick(point)} ${isCpu ? "cores" : "s/s"}`,
      formatTick,
    };
  }
  return {
    axis: sampleUnit === "bytes" ? "bytes per second" : "per second",
    toPoint: (value, seconds) => value / seconds,
    format: (point) => `${formatValue(point, sampleUnit)}/s`,
    formatTick: (point) => formatValue(point, sampleUnit),
  };
}

/** The order in which types are offered: what most questions begin with first. */
export function compareProfileTypes(a: string, b: string): number {
  const order = Object.keys(KNOWN);
  const rank = (id: string): number => {
    const { name, sampleType } = parseProfileType(id);
    const index = order.indexOf(`${name}:${sampleType}`);
    return index < 0 ? order.length : index;
  };
  return rank(a) - rank(b) || (a < b ? -1 : 1);
}
