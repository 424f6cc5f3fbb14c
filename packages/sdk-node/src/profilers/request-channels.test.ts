import { channel } from "node:diagnostics_channel";
import { afterEach, describe, expect, it } from "vitest";
import { RequestChannels } from "./request-channels.ts";
import type { WaitKind } from "./wait-kind.ts";

const beganHttp = channel("http.client.request.created");
let channels: RequestChannels<WaitKind> | undefined;

afterEach(() => channels?.disable());

function createChannels() {
  const ended: WaitKind[] = [];
  const created = new RequestChannels<WaitKind>({
    begin: (kind) => kind,
    end: (kind) => void ended.push(kind),
  });
  created.enable();
  channels = created;
  return { channels: created, ended };
}

describe("RequestChannels", () => {
  it.for([
    { began: beganHttp, end: "http.client.response.finish", kind: "(http request)" },
    { began: beganHttp, end: "http.client.request.error", kind: "(http request)" },
    { began: channel("undici:request:create"), end: "undici:request:headers", kind: "(fetch)" },
    { began: channel("undici:request:create"), end: "undici:request:error", kind: "(fetch)" },
  ])("ends a wait of $kind with $end, once", ({ began, end, kind }) => {
    const { ended } = createChannels();
    const request = {};

    began.publish({ request });
    channel(end).publish({ request });
    channel(end).publish({ request });
    channel(end).publish({ request: {} });

    expect(ended).toEqual([kind]);
  });

  it("takes messages of any shape, and none once disabled", () => {
    const { channels: created, ended } = createChannels();
    const request = {};
    for (const message of [undefined, null, {}, { request: 1 }]) beganHttp.publish(message);
    beganHttp.publish({ request });

    created.disable();
    channel("http.client.response.finish").publish({ request });

    expect(ended).toEqual([]);
  });
});
