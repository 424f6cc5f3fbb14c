/** How values of one type are written outside the program. */
export interface SettingKind<T> {
  /** Completes the sentence "expected …". */
  readonly expects: string;
  /** Placeholder in `--help`; absent for settings that are switched on by naming them. */
  readonly placeholder: string | undefined;
  /** True when the raw text must not be repeated in messages. */
  readonly isSecret: boolean;
  /** @returns undefined when the text is not one of the kind. */
  parse(raw: string, files: FileReader): T | undefined;
  format(value: T): string;
}

/** Reads a file that a setting names; throws when it cannot. */
export type FileReader = (path: string) => string;

/** One setting: how it is spelled outside, what it is without being set, and what it means. */
export interface Setting<T> extends SettingKind<T> {
  /** Without the dashes. The environment variable is derived from it: {@link toEnvironmentName}. */
  readonly flag: string;
  readonly fallback: T;
  readonly help: string;
}

/** A row for each field of `Config`: the compiler rejects a missing one. */
export type SettingTable<Config> = { readonly [K in keyof Config]-?: Setting<Config[K]> };

/** `api-bind-addr` → `PYROSCOPE_API_BIND_ADDR`. */
export function toEnvironmentName(flag: string): string {
  return `PYROSCOPE_${flag.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;
}
