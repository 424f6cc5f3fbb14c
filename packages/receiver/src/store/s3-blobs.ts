import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { GetObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import { ReceiverError } from "../errors.ts";
import type { BlobRange, Blobs } from "./blobs.ts";
import { type Fs, writeChunks } from "./fs.ts";

/** A bucket, and how it is reached. Survives `structuredClone`. */
export interface S3Options {
  readonly bucket: string;
  readonly region: string;
  /** URL of another service than Amazon's; undefined: Amazon's of the region. */
  readonly endpoint: string | undefined;
  /** `https://host/bucket/key` instead of `https://bucket.host/key`. */
  readonly isPathStyle: boolean;
  /** Before every key; empty, or with a `/` at its end. */
  readonly prefix: string;
  /** undefined: what the SDK finds: environment, files, or the machine's role. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  /** Whether the service knows `If-None-Match: *` on writes. */
  readonly hasConditionalWrites: boolean;
}

const CONNECTION_TIMEOUT_MS = 3000;
/** Longest silence of a connection. */
const SOCKET_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** Slowest rate at which a large object is waited for, beyond that. */
const BYTES_PER_MILLI = 200;

type Sdk = typeof import("@aws-sdk/client-s3");

/** Objects of a bucket, by the protocol of S3. */
export class S3Blobs implements Blobs {
  readonly name: string;
  readonly #fs: Fs;
  readonly #options: S3Options;
  readonly #sdk: Sdk;
  readonly #client: S3Client;

  private constructor(fs: Fs, options: S3Options, sdk: Sdk) {
    const { bucket, prefix, endpoint, region, isPathStyle, credentials } = options;
    this.name = `${endpoint === undefined ? "" : `${endpoint} `}s3://${bucket}/${prefix}`;
    this.#fs = fs;
    this.#options = options;
    this.#sdk = sdk;
    this.#client = new sdk.S3Client({
      region,
      forcePathStyle: isPathStyle,
      ...(endpoint !== undefined && { endpoint }),
      ...(credentials !== undefined && { credentials }),
      // The SDK's own checksums come in trailers that other services than Amazon's refuse; uploads carry Content-MD5.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      maxAttempts: 1,
      // Whatever fails is thrown, and said where it is caught.
      logger: { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore },
      requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: SOCKET_TIMEOUT_MS },
    });
  }

  /** Loads the SDK, which receivers without a bucket never do. */
  static async create(fs: Fs, options: S3Options): Promise<S3Blobs> {
    return new S3Blobs(fs, options, await import("@aws-sdk/client-s3"));
  }

  async list(prefix: string): Promise<readonly string[]> {
    const keys: string[] = [];
    let token: string | undefined;
    do {
      const page = await this.#attempt("list", prefix, 0, (abortSignal) =>
        this.#client.send(
          new this.#sdk.ListObjectsV2Command({
            Bucket: this.#options.bucket,
            Prefix: this.#options.prefix + prefix,
            ...(token !== undefined && { ContinuationToken: token }),
          }),
          { abortSignal },
        ),
      );
      for (const { Key = "" } of page.Contents ?? []) keys.push(Key.slice(this.#options.prefix.length));
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
    return keys.sort();
  }

  async read(key: string): Promise<Buffer | undefined> {
    return await this.#get(key, undefined, async ({ Body }) =>
      Buffer.from((await Body?.transformToByteArray()) ?? []),
    );
  }

  async download(key: string, path: string, range?: BlobRange): Promise<boolean> {
    if (range?.bytes === 0) {
      await writeChunks(this.#fs, path, Readable.from([]));
      return true;
    }
    const done = await this.#get(key, range, async ({ Body }) => {
      await writeChunks(this.#fs, path, (Body as Readable | undefined) ?? Readable.from([]));
      return true;
    });
    return done ?? false;
  }

  async upload(path: string, key: string): Promise<void> {
    const hash = createHash("md5");
    let bytes = 0;
    for await (const chunk of this.#fs.readChunks(path)) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    const md5 = hash.digest();
    const isStored = await this.#attempt("write", key, bytes, async (abortSignal) => {
      const body = Readable.from(this.#fs.readChunks(path), { objectMode: false });
      const command = new this.#sdk.PutObjectCommand({
        ...this.#place(key),
        Body: body,
        ContentLength: bytes,
        // The service compares it with what arrived and refuses what differs.
        ContentMD5: md5.toString("base64"),
        ...(this.#options.hasConditionalWrites && { IfNoneMatch: "*" }),
      });
      try {
        await this.#client.send(command, { abortSignal });
        return true;
      } catch (error) {
        if (statusOf(error) === 412) return false;
        throw error;
      } finally {
        body.destroy();
      }
    });
    // The answer to an earlier attempt was lost.
    if (!isStored) await this.#checkSame(key, bytes, md5);
  }

  async remove(keys: readonly string[]): Promise<void> {
    // One by one: not every service knows the deletion of many, and each wants another checksum with it.
    for (const key of keys) {
      await this.#attempt("delete", key, 0, (abortSignal) =>
        this.#client.send(new this.#sdk.DeleteObjectCommand(this.#place(key)), { abortSignal }),
      );
    }
  }

  close(): void {
    this.#client.destroy();
  }

  async #checkSame(key: string, bytes: number, md5: Buffer): Promise<void> {
    const found = await this.#get(key, undefined, async ({ Body }) => {
      const hash = createHash("md5");
      for await (const chunk of Body as Readable) hash.update(chunk as Uint8Array);
      return hash.digest();
    });
    if (found?.equals(md5) === true) return;
    throw new ReceiverError(`write ${this.name}${key}: there is an object that is not these ${bytes} bytes`, {
      code: "CONFLICT",
    });
  }

  /** @returns undefined when there is no such object. */
  async #get<T>(
    key: string,
    range: BlobRange | undefined,
    use: (output: GetObjectCommandOutput) => Promise<T>,
  ): Promise<T | undefined> {
    const part = range && { Range: `bytes=${range.from}-${range.from + range.bytes - 1}` };
    return await this.#attempt("read", key, Number.POSITIVE_INFINITY, async (abortSignal) => {
      let output: GetObjectCommandOutput;
      try {
        output = await this.#client.send(new this.#sdk.GetObjectCommand({ ...this.#place(key), ...part }), {
          abortSignal,
        });
      } catch (error) {
        if (statusOf(error) === 404 && isNoSuchKey(error)) return undefined;
        // The object is shorter than that: what there is of the part is nothing.
        if (statusOf(error) === 416 && range !== undefined) return await use({ $metadata: {} });
        throw error;
      }
      return await use(output);
    });
  }

  #place(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#options.bucket, Key: this.#options.prefix + key };
  }

  /** @param bytes - Infinity: silence of the connection is the only limit. */
  async #attempt<T>(
    verb: string,
    key: string,
    bytes: number,
    act: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const timeout = Math.min(REQUEST_TIMEOUT_MS + bytes / BYTES_PER_MILLI, 2 ** 31 - 1);
    try {
      return await act(AbortSignal.timeout(Math.ceil(timeout)));
    } catch (cause) {
      throw new ReceiverError(`${verb} ${this.name}${key}: ${describe(cause)}`, {
        code: "STORAGE_UNAVAILABLE",
        cause,
      });
    }
  }
}

function ignore(): void {}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("$metadata" in error)) return undefined;
  return (error.$metadata as { readonly httpStatusCode?: number }).httpStatusCode;
}

function isNoSuchKey(error: unknown): boolean {
  return error instanceof Error && error.name === "NoSuchKey";
}

/** Class, status and text: the SDK's message alone is often "UnknownError". */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const status = statusOf(error);
  return `${error.name}${status === undefined ? "" : ` ${status}`}: ${error.message}`;
}
