import type { MessagePort, Worker } from "node:worker_threads";
import { ReceiverError } from "../errors.ts";
import { decodeRpcError, encodeRpcError, type RpcErrorMessage } from "./rpc-error.ts";
import { prepareTransfer } from "./transfer.ts";

/**
 * Calls of one object's methods across threads.
 *
 * Arguments and answers survive `structuredClone`. A typed array that owns its whole buffer is moved, not copied:
 * the sender's array is empty afterwards, so both sides give away what they send. An `AbortSignal` in the last
 * argument (`{ signal }`) is replaced on the other side by one that fires when it does.
 */
export type RpcPort = Pick<MessagePort | Worker, "postMessage"> & {
  on(event: "message", listener: (message: unknown) => void): unknown;
};

/** Methods that can be called across threads. */
// biome-ignore lint/suspicious/noExplicitAny: a constraint over every possible method; nothing is called through it.
type RpcService = { readonly [name: string]: (...args: any[]) => Promise<unknown> };

type RpcRequest =
  | {
      readonly kind: "call";
      readonly id: number;
      readonly method: string;
      readonly args: readonly unknown[];
      readonly cancellable: boolean;
    }
  | { readonly kind: "cancel"; readonly id: number };

type RpcResponse =
  | { readonly kind: "value"; readonly id: number; readonly value: unknown }
  | { readonly kind: "error"; readonly id: number; readonly error: RpcErrorMessage };

/** Answers the calls that arrive at `port` with the methods of `service`; only names in `methods` can be called. */
export function serveRpc<Service extends object>(
  port: RpcPort,
  service: Service,
  methods: readonly (keyof Service & string)[],
): void {
  const running = new Map<number, AbortController>();

  const answer = async (request: RpcRequest & { readonly kind: "call" }): Promise<RpcResponse> => {
    const { id, method } = request;
    try {
      const controller = request.cancellable ? new AbortController() : undefined;
      if (controller !== undefined) running.set(id, controller);
      const handler = methods.includes(method as keyof Service & string)
        ? (service as unknown as RpcService)[method]
        : undefined;
      if (handler === undefined) {
        throw new ReceiverError(`calling ${method}: no such method`, { code: "INTERNAL" });
      }
      const args = controller === undefined ? request.args : withSignal(request.args, controller.signal);
      return { kind: "value", id, value: await handler.apply(service, [...args]) };
    } catch (error) {
      return { kind: "error", id, error: encodeRpcError(error) };
    } finally {
      running.delete(id);
    }
  };

  port.on("message", (message) => {
    const request = message as RpcRequest;
    if (request.kind === "cancel") {
      running.get(request.id)?.abort();
      return;
    }
    void answer(request).then((response) => post(port, response));
  });
}

/** The caller's side: an object with the service's methods, and a way to end it. */
export interface RpcClient<Service> {
  readonly service: Service;
  /** Rejects everything pending, and every later call, with `reason`. */
  fail(reason: Error): void;
  /** Calls that have no answer yet. */
  readonly pendingCount: number;
}

interface PendingCall {
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: Error) => void;
  readonly unlisten: () => void;
}

/** Makes an object whose `methods` are answered by {@link serveRpc} at the other end of `port`. */
export function createRpcClient<Service extends object>(
  port: RpcPort,
  methods: readonly (keyof Service & string)[],
): RpcClient<Service> {
  const pending = new Map<number, PendingCall>();
  let lastId = 0;
  let failure: Error | undefined;

  const settle = (id: number): PendingCall | undefined => {
    const call = pending.get(id);
    pending.delete(id);
    call?.unlisten();
    return call;
  };

  port.on("message", (message) => {
    const response = message as RpcResponse;
    const call = settle(response.id);
    if (response.kind === "value") call?.resolve(response.value);
    else call?.reject(decodeRpcError(response.error));
  });

  const call = (method: string, args: readonly unknown[]): Promise<unknown> => {
    const signal = findSignal(args);
    if (failure !== undefined) return Promise.reject(failure);
    if (signal?.aborted) return Promise.reject(cancelled(method));
    const id = ++lastId;
    return new Promise((resolve, reject) => {
      const cancel = (): void => {
        settle(id);
        post(port, { kind: "cancel", id });
        reject(cancelled(method));
      };
      signal?.addEventListener("abort", cancel, { once: true });
      pending.set(id, { resolve, reject, unlisten: () => signal?.removeEventListener("abort", cancel) });
      try {
        const cancellable = signal !== undefined;
        post(port, {
          kind: "call",
          id,
          method,
          args: cancellable ? withSignal(args, undefined) : args,
          cancellable,
        });
      } catch (error) {
        settle(id);
        reject(new ReceiverError(`sending the arguments of ${method}`, { code: "INTERNAL", cause: error }));
      }
    });
  };

  const service = Object.fromEntries(methods.map((name) => [name, (...args: unknown[]) => call(name, args)]));
  return {
    service: service as Service,
    fail(reason) {
      failure ??= reason;
      for (const id of [...pending.keys()]) settle(id)?.reject(reason);
    },
    get pendingCount() {
      return pending.size;
    },
  };
}

function post(port: RpcPort, message: RpcRequest | RpcResponse): void {
  const { value, transfer } = prepareTransfer(message);
  try {
    port.postMessage(value, transfer);
  } catch (error) {
    if (message.kind !== "value") throw error;
    // An answer that cannot be cloned is a defect of the method; the caller must still hear of it.
    port.postMessage({ kind: "error", id: message.id, error: encodeRpcError(error) } satisfies RpcResponse);
  }
}

function findSignal(args: readonly unknown[]): AbortSignal | undefined {
  const last = args.at(-1);
  if (typeof last !== "object" || last === null || !("signal" in last)) return undefined;
  return last.signal instanceof AbortSignal ? last.signal : undefined;
}

function withSignal(args: readonly unknown[], signal: AbortSignal | undefined): readonly unknown[] {
  return [...args.slice(0, -1), { ...(args.at(-1) as object), signal }];
}

function cancelled(method: string): ReceiverError {
  return new ReceiverError(`${method} was cancelled`, { code: "CANCELLED" });
}
