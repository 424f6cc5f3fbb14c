import { useEffect, useState } from "preact/hooks";
import { Resource, type ResourceState } from "../state/resource.ts";
import { useApp } from "./app-context.ts";

/** A resource as a view sees it. */
export interface ResourceView<T> {
  readonly state: ResourceState<T>;
  /** Asks once more after a failure. */
  readonly retry: () => void;
}

/**
 * What `load` answers for `key`; asked again when the key changes or a token was entered. No key: nothing to ask.
 *
 * @param key - Everything that the answer depends on.
 */
export function useResource<T>(
  key: string | undefined,
  load: (signal: AbortSignal) => Promise<T>,
): ResourceView<T> {
  const { token } = useApp();
  const [resource] = useState(() => new Resource<T>());
  const fullKey = key === undefined ? undefined : `${token.revision.value} ${key}`;
  const ask = (): void => {
    if (fullKey === undefined) resource.clear();
    else resource.request(fullKey, load);
  };
  useEffect(ask, [fullKey]);
  useEffect(() => () => resource.clear(), [resource]);
  return { state: resource.state.value, retry: ask };
}
