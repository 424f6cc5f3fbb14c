const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Prints a size as Pyroscope's messages do, in powers of 1000: 4194304 is `4.2 MB`, 268435456 is `268 MB`. */
export function formatBytes(bytes: number): string {
  const exponent = bytes < 10 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), UNITS.length - 1);
  const value = Math.round((bytes / 1000 ** exponent) * 10) / 10;
  const digits = exponent === 0 || value >= 10 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[exponent] ?? ""}`;
}
