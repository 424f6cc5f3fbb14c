import { tagWrapper } from "../index.ts";
import { ROUTE_LABEL } from "./route-label.ts";

/** What the plugin uses of a route of Hapi. */
export interface HapiRouteLike {
  readonly path: string;
  readonly settings: { handler?: unknown };
}

/** What the plugin uses of Hapi. */
export interface HapiServerLike {
  table(): readonly HapiRouteLike[];
  readonly events: { on(name: "route", listener: (route: HapiRouteLike) => void): unknown };
}

/** A plugin of Hapi. */
export interface HapiPlugin<S> {
  readonly name: string;
  readonly register: (server: S) => void;
}

/**
 * Labels what the handler of a request does with its route: the label `route`, such as `/orders/{id}`. Extensions and
 * `pre` methods have no label.
 *
 *     await server.register(hapiLabels);
 */
export const hapiLabels: HapiPlugin<HapiServerLike> = {
  name: "pyroscope-labels",
  register(server) {
    // Hapi runs a request in one async function: labels set in an extension would end with that. It looks the handler
    // up at each request.
    for (const route of server.table()) wrapHandler(route);
    server.events.on("route", wrapHandler);
  },
};

function wrapHandler({ path, settings }: HapiRouteLike): void {
  const { handler } = settings;
  if (typeof handler !== "function") return;
  settings.handler = tagWrapper.handler({ [ROUTE_LABEL]: path }, handler as (...args: unknown[]) => unknown);
}
