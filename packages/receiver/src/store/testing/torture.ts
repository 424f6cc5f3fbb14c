/** How much a crash test does: `few` in CI, `many` under `pnpm test:torture`. */
export function tortureCount(few: number, many: number): number {
  // biome-ignore lint/style/noProcessEnv: a test run has no other setting that reaches its files.
  return process.env.PYROSCOPE_TORTURE === "1" ? many : few;
}
