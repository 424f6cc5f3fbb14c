import type { ProfileTypeName } from "./options.ts";

/** What parts of the SDK are missing here, as in a bundle, and what becomes of it, in one line; undefined where all are there. */
export function describeMissing(
  profileTypes: readonly ProfileTypeName[],
  nativeProblem: string | undefined,
  helperProblem: string | undefined,
): string | undefined {
  const parts: string[] = [];
  if (nativeProblem !== undefined) {
    parts.push(`${nativeProblem}; the inspector profiles ${profileTypes.join(", ")}, without labels`);
  }
  if (helperProblem !== undefined) {
    parts.push(`uploads are the work of the profiled thread: ${helperProblem}`);
  }
  return parts.length === 0 ? undefined : parts.join("; ");
}
