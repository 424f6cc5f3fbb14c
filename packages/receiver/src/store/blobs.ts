/** A part of an object. */
export interface BlobRange {
  readonly from: number;
  readonly bytes: number;
}

/**
 * Objects that never change, by key: a directory that processes share, or a bucket of S3. Keys are texts with `/`
 * between their parts.
 *
 * Every method throws `ReceiverError` STORAGE_UNAVAILABLE when the place cannot be reached, refuses, or answers in part.
 */
export interface Blobs {
  /** Where the objects are, for log lines: no credential is part of it. */
  readonly name: string;
  /** Keys that begin with `prefix`, in order. */
  list(prefix: string): Promise<readonly string[]>;
  /** Reads an object of some kilobytes; undefined when there is none. */
  read(key: string): Promise<Buffer | undefined>;
  /**
   * Copies an object, or a part of it, to a new file; returns whether there is one. Of a part that reaches over its end
   * the file has what there is. The file's checksum is the caller's to check.
   */
  download(key: string, path: string, range?: BlobRange): Promise<boolean>;
  /**
   * Copies a file to a new object. When it resolves, the object is durable and has the bytes of the file. An object of
   * that key that has these bytes already is as good.
   *
   * @throws `ReceiverError` CONFLICT when there is one with other bytes: it stays as it is.
   */
  upload(path: string, key: string): Promise<void>;
  /** Deletes objects; fine when they are not there. */
  remove(keys: readonly string[]): Promise<void>;
  close(): void;
}
