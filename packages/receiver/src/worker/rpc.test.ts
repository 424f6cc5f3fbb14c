import { MessageChannel } from "node:worker_threads";
import { ProtocolError } from "@pyroscope-ts/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { ReceiverError } from "../errors.ts";
import { createRpcClient, type RpcClient, serveRpc } from "./rpc.ts";

interface Calculator {
  double(values: Uint8Array, options?: { signal?: AbortSignal }): Promise<Uint8Array>;
  wait(options: { signal?: AbortSignal }): Promise<string>;
  fail(kind: "receiver" | "protocol" | "plain" | "text"): Promise<never>;
  unsendable(): Promise<() => void>;
}

const methods = ["double", "wait", "fail", "unsendable"] as const;
const channels: MessageChannel[] = [];

function connect(service: Partial<Calculator>): RpcClient<Calculator> {
  const channel = new MessageChannel();
  channels.push(channel);
  serveRpc(channel.port2, service as Calculator, methods);
  return createRpcClient<Calculator>(channel.port1, methods);
}

const failures = {
  receiver: () => new ReceiverError("disk full", { code: "STORAGE_UNAVAILABLE", retryAfterSeconds: 7 }),
  protocol: () => new ProtocolError("label set broken", { code: "LABELS_INVALID" }),
  plain: () => new TypeError("x is not a function", { cause: new Error("deeper") }),
  text: () => "just text",
};

const failing: Partial<Calculator> = {
  async fail(kind) {
    throw failures[kind]();
  },
};

afterEach(() => {
  for (const { port1 } of channels.splice(0)) port1.close();
});

describe("createRpcClient", () => {
  it("returns what the method at the other end returns", async () => {
    const { service } = connect({ double: async (values) => values.map((value) => value * 2) });

    expect(await service.double(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(2, 4));
  });

  it("answers calls that overlap, each with its own answer", async () => {
    const { service } = connect({ double: async (values) => values.map((value) => value * 2) });

    const answers = await Promise.all([1, 2, 3].map((value) => service.double(Uint8Array.of(value))));

    expect(answers.map(([value]) => value)).toEqual([2, 4, 6]);
  });

  it("moves an array that owns its buffer and copies a window of a shared one", async () => {
    const { service } = connect({ double: async (values) => values });
    const owned = Uint8Array.of(1, 2, 3);
    const shared = Uint8Array.of(1, 2, 3, 4);

    await service.double(owned);
    const answer = await service.double(shared.subarray(1, 3));

    expect(owned.length).toBe(0);
    expect([...shared]).toEqual([1, 2, 3, 4]);
    expect([...answer]).toEqual([2, 3]);
    expect(answer.buffer.byteLength).toBe(2);
  });

  it("sends one empty array again and again", async () => {
    const { service } = connect({ double: async (values) => values });
    const nothing = new Uint8Array(0);

    const answers = [await service.double(nothing), await service.double(nothing)];

    expect(answers).toEqual([nothing, nothing]);
  });

  it("cancels a call: the caller hears at once, the method by its signal", async () => {
    let tell: (word: string) => void = () => undefined;
    const stopped = new Promise<string>((resolve) => {
      tell = resolve;
    });
    const { service, ...client } = connect({
      wait: ({ signal }) =>
        new Promise(() => signal?.addEventListener("abort", () => tell("method stopped"))),
    });
    const controller = new AbortController();

    const call = service.wait({ signal: controller.signal });
    controller.abort();

    await expect(call).rejects.toMatchObject({ name: "ReceiverError", code: "CANCELLED" });
    expect(await stopped).toBe("method stopped");
    expect(client.pendingCount).toBe(0);
  });

  it("does not send a call whose signal fired before", async () => {
    const { service } = connect({ wait: () => Promise.resolve("answered") });

    await expect(service.wait({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("keeps the class, code, text and retry time of the errors of this project", async () => {
    const { service } = connect(failing);

    const receiver = await service.fail("receiver").catch((error: unknown) => error);
    const protocol = await service.fail("protocol").catch((error: unknown) => error);

    expect(receiver).toBeInstanceOf(ReceiverError);
    expect(receiver).toMatchObject({
      code: "STORAGE_UNAVAILABLE",
      message: "disk full",
      retryAfterSeconds: 7,
    });
    expect(protocol).toBeInstanceOf(ProtocolError);
    expect(protocol).toMatchObject({ code: "LABELS_INVALID", message: "label set broken" });
  });

  it("wraps any other error as internal, with its text and the stack of its causes", async () => {
    const { service } = connect(failing);

    const error = (await service.fail("plain").catch((thrown: unknown) => thrown)) as ReceiverError;
    const text = await service.fail("text").catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({
      code: "INTERNAL",
      cause: { name: "TypeError", message: "x is not a function" },
    });
    expect((error.cause as Error).stack).toContain("caused by Error: deeper");
    expect(text).toMatchObject({ code: "INTERNAL", cause: { message: "just text" } });
  });

  it("rejects a call whose answer cannot be sent", async () => {
    const { service } = connect({ unsendable: async () => () => undefined });

    await expect(service.unsendable()).rejects.toMatchObject({ code: "INTERNAL" });
  });

  it("rejects a call whose arguments cannot be sent", async () => {
    const { service } = connect({});

    const call = service.double((() => undefined) as unknown as Uint8Array);

    await expect(call).rejects.toMatchObject({
      code: "INTERNAL",
      message: "sending the arguments of double",
    });
  });

  it("rejects everything pending and everything later after a failure", async () => {
    const client = connect({ wait: () => new Promise(() => undefined) });
    const reason = new ReceiverError("the storage thread ended", { code: "INTERNAL" });

    const pending = client.service.wait({});
    client.fail(reason);

    await expect(pending).rejects.toBe(reason);
    await expect(client.service.wait({})).rejects.toBe(reason);
  });
});

describe("serveRpc", () => {
  it("calls no method outside its list", async () => {
    const channel = new MessageChannel();
    channels.push(channel);
    serveRpc(channel.port2, { secret: async () => "told", open: async () => "fine" }, ["open"]);
    const client = createRpcClient<{ secret(): Promise<string>; open(): Promise<string> }>(channel.port1, [
      "secret",
      "open",
    ]);

    await expect(client.service.secret()).rejects.toMatchObject({ code: "INTERNAL" });
    expect(await client.service.open()).toBe("fine");
  });
});
