/**
 * Resolutions of blocks, the finest first: each is made of the one before it.
 *
 * `raw` has every profile as it was pushed. `5m` and `1h` have one profile for each series and interval, `1h-service`
 * one for each service and type, whose series has no label but the service's name.
 */
const LEVELS = ["raw", "5m", "1h", "1h-service"] as const;
export type Level = (typeof LEVELS)[number];

export function isLevel(text: string): text is Level {
  return (LEVELS as readonly string[]).includes(text);
}
