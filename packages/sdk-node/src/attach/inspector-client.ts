import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "undici";
import { attachError } from "./target-process.ts";

/** A connection to the inspector of another process. */
export interface InspectorClient {
  /** What `expression` is in that process, as JSON has it. @throws {@link SdkError} `ATTACH_FAILED`. */
  evaluate(expression: string): Promise<unknown>;
  /** Calls a method of the protocol. @throws {@link SdkError} `ATTACH_FAILED`. */
  post(method: string, params?: object): Promise<void>;
  /** Resolves when the connection is closed at both ends. */
  close(): Promise<void>;
  /** Resolves when the other side is gone, or waits for this one to go before it ends. */
  readonly ended: Promise<void>;
}

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly error?: { readonly message: string };
  readonly result?: {
    readonly result: { readonly value?: unknown };
    readonly exceptionDetails?: {
      readonly text: string;
      readonly exception?: { readonly description?: string };
    };
  };
}

// What the target does within is over in 100 ms; its thread may be in native code until then.
const ANSWER_TIMEOUT_MS = 15_000;

/** @throws {@link SdkError} `ATTACH_FAILED` when nobody answers at `url`. */
export async function connectInspector(url: string): Promise<InspectorClient> {
  const socket = new WebSocket(url);
  const waiting = new Map<number, (reply: Reply) => void>();
  let nextId = 1;
  const closed = new Promise<void>((resolve) => socket.addEventListener("close", () => resolve()));
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  void closed.then(end);
  socket.addEventListener("message", ({ data }) => {
    const reply = JSON.parse(String(data)) as Reply;
    if (reply.id !== undefined) waiting.get(reply.id)?.(reply);
    // A process that exits does not end before its debuggers are gone.
    else if (reply.method === "NodeRuntime.waitingForDisconnect") end();
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(attachError(`connecting to ${url}: refused`)));
  });
  const enableNotice = {
    id: 0,
    method: "NodeRuntime.notifyWhenWaitingForDisconnect",
    params: { enabled: true },
  };
  socket.send(JSON.stringify(enableNotice));
  const ask = async (method: string, params: object): Promise<Reply> => {
    const id = nextId++;
    const replied = new Promise<Reply>((resolve) => {
      waiting.set(id, resolve);
    });
    socket.send(JSON.stringify({ id, method, params }));
    const giveUp = new AbortController();
    try {
      return await Promise.race([
        replied,
        ended.then(() => Promise.reject(attachError("the process ended, or closed its inspector"))),
        sleep(ANSWER_TIMEOUT_MS, undefined, { signal: giveUp.signal }).then(() =>
          Promise.reject(
            attachError(`the process did not answer within ${ANSWER_TIMEOUT_MS} ms: is it in native code?`),
          ),
        ),
      ]);
    } finally {
      waiting.delete(id);
      giveUp.abort();
    }
  };
  return {
    ended,
    async evaluate(expression) {
      return readReply(await ask("Runtime.evaluate", { expression, returnByValue: true, silent: true }));
    },
    async post(method, params = {}) {
      const { error } = await ask(method, params);
      if (error !== undefined) throw attachError(`${method}: ${error.message}`);
    },
    async close() {
      socket.close();
      await closed;
    },
  };
}

function readReply({ error, result }: Reply): unknown {
  if (error !== undefined) throw attachError(error.message);
  const { exceptionDetails } = result ?? {};
  if (exceptionDetails !== undefined) {
    const [firstLine = exceptionDetails.text] =
      exceptionDetails.exception?.description?.split("\n    at ") ?? [];
    throw attachError(firstLine);
  }
  return result?.result.value;
}
