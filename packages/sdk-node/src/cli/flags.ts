import { settings } from "../config.ts";
import { SdkError } from "../errors.ts";

/** Flags of a command line, and what comes after them. */
export interface ParsedFlags {
  /** Environment variables that set what the flags set. */
  readonly variables: Readonly<Record<string, string>>;
  /** Flags of the command itself, by name without dashes. */
  readonly own: Readonly<Record<string, string>>;
  readonly rest: readonly string[];
}

const variableByFlag: ReadonlyMap<string, string> = new Map(
  Object.values(settings).flatMap(({ option, env }) => {
    const name = env[0]?.name;
    return name === undefined ? [] : [[toFlag(option), name] as const];
  }),
);

/**
 * Reads `--name value` and `--name=value` up to `--` or the first word that is no flag. Every setting with an environment
 * variable is a flag: `uploadRate` is `--upload-rate`.
 *
 * @param ownNames - flags that the command has beside these.
 * @throws {@link SdkError} `CONFIG_INVALID` for an unknown flag or one without a value.
 */
export function parseFlags(args: readonly string[], ownNames: readonly string[] = []): ParsedFlags {
  const variables: Record<string, string> = {};
  const own: Record<string, string> = {};
  let next = 0;
  while (next < args.length && args[next] !== "--" && args[next]?.startsWith("--") === true) {
    const [, flag = "", inline] = /^--([^=]*)(?:=(.*))?$/s.exec(args[next] ?? "") ?? [];
    const value = inline ?? args[next + 1];
    if (value === undefined) throw invalid(`--${flag}: expected a value`);
    const variable = variableByFlag.get(flag);
    if (ownNames.includes(flag)) own[flag] = value;
    else if (variable !== undefined) variables[variable] = value;
    else throw invalid(describeUnknown(flag, [...ownNames, ...variableByFlag.keys()]));
    next += inline === undefined ? 2 : 1;
  }
  return { variables, own, rest: args.slice(args[next] === "--" ? next + 1 : next) };
}

/** The flags that every command takes. */
export const settingFlags: readonly string[] = Array.from(variableByFlag.keys(), (flag) => `--${flag}`);

// What a typing error leaves of a name.
const MIN_COMMON_LENGTH = 3;

function describeUnknown(flag: string, names: readonly string[]): string {
  const similar = names.filter((name) => commonLength(flag, name) >= MIN_COMMON_LENGTH).slice(0, 5);
  const hint = similar.length === 0 ? "--help lists them" : `similar ones are --${similar.join(", --")}`;
  return `--${flag}: no such flag; ${hint}`;
}

/** Letters that two names begin with. */
function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

function toFlag(option: string): string {
  return option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function invalid(message: string): SdkError {
  return new SdkError(message, { code: "CONFIG_INVALID" });
}
