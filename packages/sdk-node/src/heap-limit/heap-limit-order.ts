import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { LogLevel } from "../diagnostics.ts";
import type { ExporterTarget } from "../exporters/exporter-target.ts";
import type { Label } from "../labels/label.ts";
import type { TypeIds } from "../options.ts";

/** What the child process is told: plain data. */
export interface HeapLimitOrder {
  /** Credentials among them. */
  readonly targets: readonly ExporterTarget[];
  readonly labels: readonly Label[];
  readonly types: readonly ("inuse_objects" | "inuse_space")[];
  readonly intervalBytes: number;
  readonly typeIds: TypeIds;
  readonly sourceMaps: boolean;
  readonly timeoutMs: number;
  readonly logLevel: LogLevel;
}

const ALGORITHM = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** An order as it lies in a file, and the key to it, which does not. */
export interface SealedOrder {
  readonly bytes: Uint8Array;
  /** Hexadecimal. */
  readonly key: string;
}

/**
 * Encrypts an order. A process that is killed leaves its file behind, and the file holds credentials: the key is in
 * the memory of the process only, and in the arguments of its child while that runs.
 */
export function sealOrder(order: HeapLimitOrder): SealedOrder {
  const key = randomBytes(32);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
  const text = Buffer.concat([cipher.update(JSON.stringify(order), "utf8"), cipher.final()]);
  return { bytes: Buffer.concat([iv, cipher.getAuthTag(), text]), key: key.toString("hex") };
}

/** The order in `bytes`. @throws when `key` is not the one that it was sealed with, or the bytes are not all there. */
export function openOrder(bytes: Uint8Array, key: string): HeapLimitOrder {
  const iv = bytes.subarray(0, IV_BYTES);
  const decipher = createDecipheriv(ALGORITHM, Buffer.from(key, "hex"), iv, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  const text = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
  return JSON.parse(text.toString("utf8"));
}
