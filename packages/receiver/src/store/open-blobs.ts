import type { Blobs } from "./blobs.ts";
import { DirectoryBlobs } from "./directory-blobs.ts";
import { nodeFs } from "./node-fs.ts";
import { S3Blobs, type S3Options } from "./s3-blobs.ts";

/** Where objects are. Survives `structuredClone`. */
export type BlobsPlace =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "s3"; readonly s3: S3Options };

/** Opens the place that the settings name. Connects to nothing yet. */
export async function openBlobs(place: BlobsPlace): Promise<Blobs> {
  return place.kind === "s3"
    ? await S3Blobs.create(nodeFs, place.s3)
    : new DirectoryBlobs(nodeFs, place.path);
}
