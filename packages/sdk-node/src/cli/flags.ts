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
    else {
      const names = [...ownNames, ...variableByFlag.keys()];
      throw invalid(`--${flag}: expected one of --${names.join(", --")}`);
    }
    next += inline === undefined ? 2 : 1;
  }
  return { variables, own, rest: args.slice(args[next] === "--" ? next + 1 : next) };
}

function toFlag(option: string): string {
  return option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function invalid(message: string): SdkError {
  return new SdkError(message, { code: "CONFIG_INVALID" });
}
