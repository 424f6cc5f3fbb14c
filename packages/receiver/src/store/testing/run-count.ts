/** How often a test repeats itself: as often as CI has time for, or, with `pnpm test:store`, as often as is promised. */
export function runCount(inCi: number, full: number): number {
  // biome-ignore lint/style/noProcessEnv: a test has no settings, and vitest hands nothing else on.
  return process.env.STORE_TESTS === "full" ? full : inCi;
}
