import type { Clock } from "../clock.ts";
import { ReceiverError } from "../errors.ts";
import { type LimitOverrides, parseOverrides } from "./overrides.ts";

type Overrides = ReadonlyMap<string, LimitOverrides>;

/** What {@link openOverridesFile} works with. */
export interface OverridesFileOptions {
  /** Path or URL of one file, or of several with commas between them: a later one goes before an earlier one. */
  readonly path: string;
  /** How often they are read again. */
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
  const paths = options.path.split(",").map((path) => path.trim());
  const readAll = () => Promise.all(paths.map((path) => readText(path, options)));
  const parseAll = (texts: readonly string[]): Overrides =>
    paths.map((path, i) => parseText(path, texts[i] ?? "")).reduce(mergeOverrides);
  let texts: readonly string[] | undefined = await readAll();
  let overrides = parseAll(texts);
  onLoad({ ok: true, overrides });
  let isStopped = false;

  const reload = async (): Promise<void> => {
    try {
      const newTexts = await readAll();
      if (newTexts.some((text, i) => text !== texts?.[i])) {
        overrides = parseAll(newTexts);
        texts = newTexts;
        onLoad({ ok: true, overrides });
      }
    } catch (error) {
      if (!(error instanceof ReceiverError)) throw error;
      // So that the old text, put back, counts as a change that can be used.
      texts = undefined;
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

async function readText(path: string, { readFile }: OverridesFileOptions): Promise<string> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw unusable(path, cause);
  }
}

function parseText(path: string, text: string): Overrides {
  try {
    return parseOverrides(text);
  } catch (cause) {
    throw unusable(path, cause);
  }
}

/** Limits of two files, one by one: a tenant may stand in both. */
function mergeOverrides(earlier: Overrides, later: Overrides): Overrides {
  const merged = new Map(earlier);
  for (const [tenant, limits] of later) {
    const before = merged.get(tenant);
    merged.set(tenant, {
      ingest: { ...before?.ingest, ...limits.ingest },
      query: { ...before?.query, ...limits.query },
      rules: { ...before?.rules, ...limits.rules },
      retention: { ...before?.retention, ...limits.retention },
    });
  }
  return merged;
}

function unusable(path: string, cause: unknown): ReceiverError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ReceiverError(`--runtime-config.file=${path}: ${reason}`, { code: "CONFIG_INVALID", cause });
}
