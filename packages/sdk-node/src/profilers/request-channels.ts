import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { HookFunction } from "./call-sites.ts";
import type { WaitListener } from "./wait-hook.ts";
import type { WaitKind } from "./wait-kind.ts";

type Channel = readonly [name: string, listener: (message: unknown) => void];

// Node 20 has only the channel of the moment at which a request is sent, when its caller is off the stack.
const HTTP_BEGIN =
  Number(process.versions.node.split(".")[0]) < 22
    ? "http.client.request.start"
    : "http.client.request.created";

/** Hears of requests of `node:http`, `fetch` and undici, until their headers or their failure, through diagnostics channels. */
export class RequestChannels<W> {
  readonly #listener: WaitListener<W>;
  // Weak: a request that never ends is forgotten with its program.
  readonly #open = new WeakMap<object, W>();
  readonly #channels: readonly Channel[];

  constructor(listener: WaitListener<W>) {
    this.#listener = listener;
    const end = (message: unknown): void => this.#end(message);
    const beginHttp = (message: unknown): void => this.#begin("(http request)", message, beginHttp);
    const beginFetch = (message: unknown): void => this.#begin("(fetch)", message, beginFetch);
    this.#channels = [
      [HTTP_BEGIN, beginHttp],
      ["http.client.response.finish", end],
      ["http.client.request.error", end],
      ["undici:request:create", beginFetch],
      ["undici:request:headers", end],
      ["undici:request:error", end],
    ];
  }

  enable(): void {
    for (const [name, listener] of this.#channels) subscribe(name, listener);
  }

  disable(): void {
    for (const [name, listener] of this.#channels) unsubscribe(name, listener);
  }

  #begin(kind: WaitKind, message: unknown, hook: HookFunction): void {
    const request = requestOf(message);
    const wait = request === undefined ? undefined : this.#listener.begin(kind, hook);
    if (request !== undefined && wait !== undefined) this.#open.set(request, wait);
  }

  #end(message: unknown): void {
    const request = requestOf(message);
    if (request === undefined) return;
    const wait = this.#open.get(request);
    if (wait === undefined) return;
    this.#open.delete(request);
    this.#listener.end(wait);
  }
}

function requestOf(message: unknown): object | undefined {
  if (typeof message !== "object" || message === null || !("request" in message)) return undefined;
  const { request } = message;
  return typeof request === "object" && request !== null ? request : undefined;
}
