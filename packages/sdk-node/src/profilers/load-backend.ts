import { describeError } from "../errors.ts";
import type { Inspector } from "./inspector.ts";
import type { NativeBindings } from "./native.ts";

/** What can profile here. */
export interface Backend {
  readonly native: NativeBindings | undefined;
  /** Why it is not the native profiler; undefined where it is. */
  readonly problem: string | undefined;
}

/** How the two are loaded. Both throw {@link SdkError} `NATIVE_UNAVAILABLE`. */
export interface BackendLoaders {
  readonly loadNative: () => NativeBindings;
  readonly loadInspector: () => Inspector;
}

/**
 * The native profiler, else the inspector.
 *
 * @throws what the native profiler threw, where there is no inspector either, and with `isStrict`.
 */
export function loadBackend({ loadNative, loadInspector }: BackendLoaders, isStrict: boolean): Backend {
  try {
    return { native: loadNative(), problem: undefined };
  } catch (error) {
    if (isStrict || !canLoad(loadInspector)) throw error;
    return { native: undefined, problem: describeError(error) };
  }
}

function canLoad(load: () => unknown): boolean {
  try {
    load();
    return true;
  } catch {
    return false;
  }
}
