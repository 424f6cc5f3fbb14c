import { createConnectRouter } from "@connectrpc/connect";
import { PusherService } from "@pyroscope-ts/protocol/messages";
import { describe, expect, it } from "vitest";
import { blameMalformedMessage } from "./malformed-message.ts";

async function push(contentType: string, body: readonly number[], failure?: Error) {
  const unread: string[] = [];
  const router = createConnectRouter({
    requestGate: (context) => blameMalformedMessage(context, (code) => unread.push(code)),
  });
  router.service(PusherService, {
    push: () => {
      throw failure ?? new Error("never called");
    },
  });
  const handler = router.handlers.find((one) => one.supportedContentType(contentType));
  const response = await handler!({
    httpVersion: "2",
    method: "POST",
    url: "http://localhost/push.v1.PusherService/Push",
    header: new Headers({ "content-type": contentType }),
    body: (async function* () {
      yield Uint8Array.from(body);
    })(),
    signal: new AbortController().signal,
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return `${response.status} ${response.trailer?.get("grpc-status") ?? ""} ${text} ${unread}`;
}

// Field 0 does not exist; the envelope of gRPC names one byte.
const MALFORMED = [0];
const ENVELOPED = [0, 0, 0, 0, 1, ...MALFORMED];

describe("blameMalformedMessage", () => {
  it.for([
    ["Connect", "application/proto", MALFORMED, /^400 .*"code":"invalid_argument".* INVALID_ARGUMENT$/],
    ["gRPC", "application/grpc", ENVELOPED, /^200 3 .*INVALID_ARGUMENT$/s],
    ["gRPC-Web", "application/grpc-web", ENVELOPED, /grpc-status: 3.*INVALID_ARGUMENT$/s],
  ] as const)("answers invalid_argument over %s", async ([, contentType, body, expected]) => {
    expect(await push(contentType, body)).toMatch(expected);
  });

  it.for([
    ["application/proto", [], /^500 .*"code":"internal".*} $/],
    ["application/grpc", [0, 0, 0, 0, 0], /^200 13 +$/],
  ] as const)("leaves defects of services over %s alone", async ([contentType, body, expected]) => {
    expect(await push(contentType, body)).toMatch(expected);
  });
});
