import type { Clock } from "../clock.ts";
import { ReceiverError } from "../errors.ts";
import { type LimitOverrides, parseOverrides } from "./overrides.ts";

type Overrides = ReadonlyMap<string, LimitOverrides>;

/** What {@link openOverridesFile} works with. */
export interface OverridesFileOptions {
  readonly path: string;
  /** How often the file is read again. */
  readonly reloadPeriodMs: number;
  readonly readFile: (path: string) => Promise<string>;
  readonly clock: Pick<Clock, "setTimer">;
  /** Told of each file whose text is another than before, and of one that cannot be used. */
  readonly onLoad: (outcome: OverridesLoad) => void;
}

/** What became of one reading of the file. */
export type OverridesLoad =
  | { readonly ok: true; readonly overrides: Overrides }
  | { readonly ok: false; readonly error: ReceiverError };

/** The overrides of a file, read again and again. */
export interface OverridesFile {
  readonly overrides: Overrides;
  stop(): void;
}

/**
 * Reads a file of overrides and follows it. A file that cannot be used later leaves what was in force.
 *
 * @throws {@link ReceiverError} `CONFIG_INVALID` when the file cannot be used at first.
 */
export async function openOverridesFile(options: OverridesFileOptions): Promise<OverridesFile> {
  const { clock, onLoad, reloadPeriodMs } = options;
  let text: string | undefined = await readText(options);
  let overrides = parseText(options, text);
  onLoad({ ok: true, overrides });
  let isStopped = false;

  const reload = async (): Promise<void> => {
    try {
      const newText = await readText(options);
      if (newText !== text) {
        overrides = parseText(options, newText);
        text = newText;
        onLoad({ ok: true, overrides });
      }
    } catch (error) {
      if (!(error instanceof ReceiverError)) throw error;
      // So that the old text, put back, counts as a change that can be used.
      text = undefined;
      onLoad({ ok: false, error });
    }
    if (!isStopped) timer = clock.setTimer(() => void reload(), reloadPeriodMs);
  };
  let timer = clock.setTimer(() => void reload(), reloadPeriodMs);

  return {
    get overrides() {
      return overrides;
    },
    stop() {
      isStopped = true;
      timer.cancel();
    },
  };
}

async function readText({ path, readFile }: OverridesFileOptions): Promise<string> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw unusable(path, cause);
  }
}

function parseText({ path }: OverridesFileOptions, text: string): Overrides {
  try {
    return parseOverrides(text);
  } catch (cause) {
    throw unusable(path, cause);
  }
}

function unusable(path: string, cause: unknown): ReceiverError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ReceiverError(`--runtime-config.file=${path}: ${reason}`, { code: "CONFIG_INVALID", cause });
}
