import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { serveInTurns } from "./serve-in-turns.ts";

const IN_A_TURN = 8;

function createTurns() {
  const served: (string | undefined)[] = [];
  const serve = serveInTurns((request) => void served.push(request.url));
  const send = (url: string, method = "POST"): EventEmitter => {
    const response = new EventEmitter();
    serve({ url, method } as IncomingMessage, response as unknown as ServerResponse);
    return response;
  };
  return { served, send };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("serveInTurns", () => {
  it("serves a bounded number in a turn of the event loop, in the order in which they came", async () => {
    const { served, send } = createTurns();
    const urls = Array.from({ length: 2 * IN_A_TURN + 5 }, (_, i) => `/${i}`);

    for (const url of urls) send(url);
    const counts = [served.length];
    for (let turns = 0; turns < 3; turns++) {
      await turn();
      counts.push(served.length);
    }

    expect(counts).toEqual([IN_A_TURN, 2 * IN_A_TURN, urls.length, urls.length]);
    expect(served).toEqual(urls);
  });

  it("lets what has no body wait for what has none alone", async () => {
    const { served, send } = createTurns();
    for (let i = 0; i < 2 * IN_A_TURN; i++) send("/push");

    for (let i = 0; i < IN_A_TURN; i++) send("/healthz", i % 2 === 0 ? "GET" : "HEAD");
    send("/late", "GET");
    const atOnce = served.slice(IN_A_TURN);
    await turn();

    expect(atOnce).toEqual(Array.from({ length: IN_A_TURN }, () => "/healthz"));
    expect(served.slice(2 * IN_A_TURN).toSorted()).toEqual([
      "/late",
      ...Array.from({ length: IN_A_TURN }, () => "/push"),
    ]);
  });

  it("lets nothing that comes while others wait go before them", async () => {
    const { served, send } = createTurns();
    for (let i = 0; i < 2 * IN_A_TURN + 1; i++) send("/early");
    await turn();

    send("/late");
    await turn();
    await turn();

    expect(served.slice(2 * IN_A_TURN)).toEqual(["/early", "/late"]);
  });

  it("does not serve whoever has left", async () => {
    const { served, send } = createTurns();
    for (let i = 0; i < IN_A_TURN; i++) send("/first");

    send("/left").emit("close");
    send("/stayed");
    await turn();

    expect(served.slice(IN_A_TURN)).toEqual(["/stayed"]);
  });
});
