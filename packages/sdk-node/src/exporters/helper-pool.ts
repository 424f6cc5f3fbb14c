import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { Cancel, Clock } from "../clock.ts";
import type { SourceMapThread, SourceMapThreadListener } from "../source-maps/source-maps.ts";
import type { ExporterTarget } from "./exporter-target.ts";
import type { HelperOpening } from "./helper-messages.ts";
import type { HelperPort } from "./helper-thread.ts";

/** What of a worker thread the pool uses. */
export interface PooledWorker {
  postMessage(opening: HelperOpening, transfer: readonly MessagePort[]): void;
  on(event: "error", listener: (error: unknown) => void): unknown;
  on(event: "exit", listener: (exitCode: number) => void): unknown;
  unref(): void;
  terminate(): Promise<unknown>;
}

// A thread takes 100 to 300 ms of CPU time to load what it sends with, so a run that follows soon has it from the one before.
const IDLE_MS = 10_000;

/**
 * The helper thread of every run of this thread, one after the other or side by side, and of their source maps; each has a
 * port of its own.
 */
export class HelperPool {
  readonly #startWorker: () => PooledWorker;
  readonly #clock: Clock;
  #worker: PooledWorker | undefined;
  readonly #ports = new Set<PooledPort>();
  #cancelIdle: Cancel | undefined;

  constructor(startWorker: () => PooledWorker, clock: Clock) {
    this.#startWorker = startWorker;
    this.#clock = clock;
  }

  /** For the uploads of a run. @throws where no thread can be started. */
  open(targets: readonly ExporterTarget[]): HelperPort {
    return this.#open((port) => ({ kind: "uploads", targets, port }));
  }

  /** For source maps. @throws where no thread can be started. */
  openSourceMaps({ onAnswer, onError }: SourceMapThreadListener): SourceMapThread {
    const port = this.#open((port) => ({ kind: "source-maps", port }));
    port.on("message", onAnswer);
    port.on("error", onError);
    port.on("exit", (exitCode) => onError(new Error(`exit code ${exitCode}`)));
    // After its listeners, which undo it.
    port.unref();
    return port;
  }

  #open(createOpening: (port: MessagePort) => HelperOpening): PooledPort {
    this.#cancelIdle?.();
    this.#cancelIdle = undefined;
    this.#worker ??= this.#start();
    const { port1, port2 } = new MessageChannel();
    const port = new PooledPort(port1, () => this.#close(port));
    this.#ports.add(port);
    this.#worker.postMessage(createOpening(port2), [port2]);
    return port;
  }

  #start(): PooledWorker {
    const worker = this.#startWorker();
    worker.on("error", (error) => this.#fail(worker, (port) => port.tell("error", error)));
    worker.on("exit", (exitCode) => this.#fail(worker, (port) => port.tell("exit", exitCode)));
    worker.unref();
    return worker;
  }

  #fail(worker: PooledWorker, tell: (port: PooledPort) => void): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const ports = [...this.#ports];
    this.#ports.clear();
    for (const port of ports) tell(port);
  }

  #close(port: PooledPort): void {
    if (!this.#ports.delete(port) || this.#ports.size > 0) return;
    this.#cancelIdle = this.#clock.after(IDLE_MS, () => {
      const worker = this.#worker;
      this.#worker = undefined;
      void worker?.terminate();
    });
  }
}

type Listener = (value: never) => void;

/** One run's way to the thread. Its end ends what the thread does for that run. */
class PooledPort implements HelperPort {
  readonly #port: MessagePort;
  readonly #onClose: () => void;
  readonly #listeners = new Map<string, Listener[]>();

  constructor(port: MessagePort, onClose: () => void) {
    this.#port = port;
    this.#onClose = onClose;
  }

  postMessage(message: unknown): void {
    this.#port.postMessage(message);
  }

  on(event: "message" | "error" | "exit", listener: Listener): void {
    if (event === "message") this.#port.on("message", listener as (value: unknown) => void);
    else this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  tell(event: "error" | "exit", value: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(value as never);
    this.#port.close();
  }

  unref(): void {
    this.#port.unref();
  }

  async terminate(): Promise<void> {
    this.#port.close();
    this.#onClose();
  }
}
