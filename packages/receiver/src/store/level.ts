const MINUTE_MS = 60_000;

/**
 * Resolutions of blocks, the finest first: each is made of the one before it.
 *
 * `raw` has every profile as it was pushed. `5m` and `1h` have one profile for each series and interval,
 * `1h-service` and `1d-service` one for each service and type, whose series has no label but the service's name.
 */
export const LEVELS = ["raw", "5m", "1h", "1h-service", "1d-service"] as const;
export type Level = (typeof LEVELS)[number];
/** A level that is made of a finer one. */
export type RollUpLevel = Exclude<Level, "raw">;

/** All of them, the finest first. */
export const ROLL_UP_LEVELS: readonly RollUpLevel[] = LEVELS.filter((level) => level !== "raw");

/** Length of a level's intervals; 0 for raw. Each is a whole number of those of the level before. */
export const levelMillis: Readonly<Record<Level, number>> = {
  raw: 0,
  "5m": 5 * MINUTE_MS,
  "1h": 60 * MINUTE_MS,
  "1h-service": 60 * MINUTE_MS,
  "1d-service": 24 * 60 * MINUTE_MS,
};

/** Levels that tell no series of a service apart. */
export function isServiceLevel(level: Level): boolean {
  return level === "1h-service" || level === "1d-service";
}

/** The level that a level is made of; undefined for raw. */
export function finerLevel(level: Level): Level | undefined {
  return LEVELS[LEVELS.indexOf(level) - 1];
}

/** The level that is made of a level; undefined for the last. */
export function coarserLevel(level: Level): RollUpLevel | undefined {
  return ROLL_UP_LEVELS[LEVELS.indexOf(level)];
}

export function isLevel(text: string): text is Level {
  return (LEVELS as readonly string[]).includes(text);
}
