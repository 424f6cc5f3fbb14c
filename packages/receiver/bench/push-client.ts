import { connect, type Socket } from "node:net";

/** What came of a push. */
export interface PushAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

interface Sending {
  readonly body: Uint8Array;
  readonly resolve: (answer: PushAnswer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Sends pushes over connections that stay open, each with one push at a time.
 *
 * Over sockets alone: what a client of Node's takes for a request is what the receiver takes for a refusal, and both share
 * the machine's cores.
 */
export class PushClient {
  readonly #host: string;
  readonly #port: number;
  readonly #connectionCount: number;
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();
  readonly #waiting: Sending[] = [];

  constructor(address: string, connectionCount: number) {
    const { hostname, port } = new URL(address);
    this.#host = hostname;
    this.#port = Number(port);
    this.#connectionCount = connectionCount;
  }

  /** Resolves with the status of the answer. */
  async push(body: Uint8Array): Promise<number> {
    return (await this.send(body)).status;
  }

  /** Resolves with the status of the answer and its Retry-After. */
  send(body: Uint8Array): Promise<PushAnswer> {
    return new Promise((resolve, reject) => {
      const sending = { body, resolve, reject };
      const connection =
        this.#idle.pop() ?? (this.#all.size < this.#connectionCount ? this.#open() : undefined);
      if (connection === undefined) this.#waiting.push(sending);
      else connection.send(sending);
    });
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }

  #open(): Connection {
    const connection: Connection = new Connection(
      connect({ host: this.#host, port: this.#port, noDelay: true }),
      {
        onAnswered: () => {
          const next = this.#waiting.shift();
          if (next === undefined) this.#idle.push(connection);
          else connection.send(next);
        },
        onClosed: () => {
          this.#all.delete(connection);
          const place = this.#idle.indexOf(connection);
          if (place !== -1) this.#idle.splice(place, 1);
          const next = this.#waiting.shift();
          if (next !== undefined) this.#open().send(next);
        },
      },
    );
    this.#all.add(connection);
    return connection;
  }
}

const HEAD_END = "\r\n\r\n";

class Connection {
  readonly #socket: Socket;
  readonly #onAnswered: () => void;
  #sending: Sending | undefined;
  #seen = "";

  constructor(socket: Socket, { onAnswered, onClosed }: { onAnswered: () => void; onClosed: () => void }) {
    this.#socket = socket;
    this.#onAnswered = onAnswered;
    let failure = new Error("the connection was closed");
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => this.#read(text));
    socket.on("error", (error) => {
      failure = error;
    });
    socket.once("close", () => {
      this.#sending?.reject(failure);
      onClosed();
    });
  }

  send(sending: Sending): void {
    this.#sending = sending;
    const head =
      "POST /push.v1.PusherService/Push HTTP/1.1\r\nhost: bench\r\ncontent-type: application/proto\r\n" +
      `content-length: ${sending.body.length}${HEAD_END}`;
    this.#socket.cork();
    this.#socket.write(head);
    this.#socket.write(sending.body);
    this.#socket.uncork();
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#seen += text;
    const headEnd = this.#seen.indexOf(HEAD_END);
    if (headEnd === -1) return;
    const head = this.#seen.slice(0, headEnd);
    const length = /^content-length: (\d+)/im.exec(head)?.[1];
    if (length === undefined) throw new Error(`expected an answer with its length, got: ${head}`);
    if (this.#seen.length < headEnd + HEAD_END.length + Number(length)) return;
    this.#seen = "";
    const { resolve } = this.#sending as Sending;
    this.#sending = undefined;
    resolve({ status: Number(head.slice(9, 12)), retryAfter: /^retry-after: (.*)$/im.exec(head)?.[1] });
    this.#onAnswered();
  }
}
