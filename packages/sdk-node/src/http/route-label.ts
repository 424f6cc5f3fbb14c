import { addLabels } from "../index.ts";

/** Label of the route that a request was matched to. */
export const ROUTE_LABEL = "route";

/** Calls `onSet` with every value that `key` of `target` is set to from now on. */
export function watchProperty(target: object, key: string, onSet: (value: unknown) => void): void {
  let current: unknown = Reflect.get(target, key);
  Reflect.defineProperty(target, key, {
    configurable: true,
    enumerable: true,
    get: () => current,
    set(value: unknown) {
      current = value;
      onSet(value);
    },
  });
}

/** Labels the rest of the request with its route. */
export function labelRoute(route: string): void {
  addLabels({ [ROUTE_LABEL]: route });
}

/** A route's path as it was written: text, a regular expression or several of them. */
export function formatRoutePath(path: unknown): string {
  return Array.isArray(path) ? path.map(formatRoutePath).join("|") : String(path ?? "");
}

// What no segment of a written route looks like: numbers, hexadecimal ids, UUIDs, and long mixed texts.
const ID_SEGMENT = /^(\d+|[\da-f]{8,}|[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}|(?=.*\d).{20,})$/i;

/** The path of `url` with `:id` for each segment that looks like an id: `/orders/17?full=1` is `/orders/:id`. */
export function guessRoute(url: string): string {
  const path = url.replace(/[?#].*$/s, "");
  return path
    .split("/")
    .map((segment) => (ID_SEGMENT.test(segment) ? ":id" : segment))
    .join("/");
}
