import { Worker } from "node:worker_threads";
import { ReceiverError } from "../errors.ts";
import { createRpcClient } from "./rpc.ts";
import type { StorageOptions } from "./storage-options.ts";
import { type StorageService, storageMethods } from "./storage-service.ts";

/** The storage thread, seen from the HTTP thread. */
export interface StorageClient {
  readonly service: StorageService;
  /** Resolves with the reason when the thread ends without being asked to; the process cannot go on then. */
  readonly died: Promise<ReceiverError>;
  /** Ends the thread. Call {@link StorageService.close} first: what is not flushed is replayed at the next start. */
  terminate(): Promise<void>;
}

// tsc rewrites the extension of imports, not of strings: the worker has the extension that this file has.
const extension: string = import.meta.url.endsWith(".ts") ? "ts" : "js";
const workerEntry: URL = new URL(`storage-worker.${extension}`, import.meta.url);

/** Starts the storage thread. It opens the data directory at once; {@link StorageService.ready} tells how that went. */
export function startStorage(options: StorageOptions, entry: URL = workerEntry): StorageClient {
  const worker = new Worker(entry, { name: "storage", workerData: options });
  const client = createRpcClient<StorageService>(worker, storageMethods);
  let isTerminating = false;

  const died = new Promise<ReceiverError>((resolve) => {
    const die = (cause: unknown): void => {
      const reason = new ReceiverError("the storage thread ended", { code: "INTERNAL", cause });
      client.fail(reason);
      if (!isTerminating) resolve(reason);
    };
    worker.once("error", die);
    // Without an error before it, some code has called process.exit in the thread.
    worker.once("exit", (exitCode) => die(new Error(`exit code ${exitCode}`)));
  });

  return {
    service: client.service,
    died,
    async terminate() {
      isTerminating = true;
      await worker.terminate();
    },
  };
}
