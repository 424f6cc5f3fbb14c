import { diffTrees, truncateDiffTree, truncateTree } from "@pyroscope-ts/protocol";
import { ReceiverError } from "../errors.ts";
import type { IngestLimits } from "../ingest/limits.ts";
import type { AdHocFiles } from "./adhoc-files.ts";
import { type AdHocFile, toAdHocName } from "./adhoc-id.ts";
import type {
  AdHocAnswer,
  AdHocDiffAnswer,
  AdHocDiffQuery,
  AdHocEntry,
  AdHocQuery,
  AdHocService,
  AdHocUpload,
} from "./adhoc-service.ts";
import { decodeBase64 } from "./decode-base64.ts";
import { type ProfileFile, readProfileFile } from "./read-profile-file.ts";

/** What {@link AdHocProfiles} works with. */
export interface AdHocProfilesOptions {
  readonly files: AdHocFiles;
  readonly clock: { nowUnixMillis(): number };
}

/** Files that are stored as they came, and decoded each time someone looks at them. */
export class AdHocProfiles implements AdHocService {
  readonly #files: AdHocFiles;
  readonly #clock: AdHocProfilesOptions["clock"];

  constructor({ files, clock }: AdHocProfilesOptions) {
    this.#files = files;
    this.#clock = clock;
  }

  async uploadAdHoc({ tenant, name, base64, limits, maxNodes }: AdHocUpload): Promise<AdHocAnswer> {
    const fileName = toAdHocName(name);
    const bytes = decodeBase64(base64, limits.maxProfileSizeBytes);
    // What cannot be shown is not kept.
    const profiles = readProfileFile(bytes, limits);
    const file = await this.#files.add(tenant, fileName, bytes, this.#clock.nowUnixMillis());
    return toAnswer(file, profiles, undefined, maxNodes);
  }

  async getAdHoc({ tenant, id, type, limits, maxNodes }: AdHocQuery): Promise<AdHocAnswer> {
    const { file, profiles } = await this.#read(tenant, id, limits);
    return toAnswer(file, profiles, type, maxNodes);
  }

  async listAdHoc({ tenant }: { readonly tenant: string }): Promise<readonly AdHocEntry[]> {
    return (await this.#files.list(tenant)).map(toEntry);
  }

  async diffAdHoc({
    tenant,
    leftId,
    rightId,
    type,
    limits,
    maxNodes,
  }: AdHocDiffQuery): Promise<AdHocDiffAnswer> {
    const { profiles: left } = await this.#read(tenant, leftId, limits);
    const { profiles: right } = await this.#read(tenant, rightId, limits);
    const pairs = left.flatMap((one) => {
      const other = right.find((profile) => profile.type === one.type);
      return other === undefined ? [] : [{ type: one.type, left: one, right: other }];
    });
    const pair = pairs.find((one) => one.type === type) ?? pairs[0];
    if (pair === undefined) {
      throw new ReceiverError(
        `no common profile types between left (${listTypes(left)}) and right (${listTypes(right)})`,
        { code: "INVALID_ARGUMENT" },
      );
    }
    return {
      profileType: pair.left.profileType,
      types: pairs.map((one) => one.type),
      tree: truncateDiffTree(diffTrees(pair.left.toTree(), pair.right.toTree()), maxNodes),
    };
  }

  async #read(
    tenant: string,
    id: string,
    limits: IngestLimits,
  ): Promise<{ readonly file: AdHocFile; readonly profiles: ProfileFile }> {
    const { file, bytes } = await this.#files.read(tenant, id);
    return { file, profiles: readProfileFile(bytes, limits) };
  }
}

function toAnswer(
  file: AdHocFile,
  profiles: ProfileFile,
  type: string | undefined,
  maxNodes: number,
): AdHocAnswer {
  // Pyroscope takes the first for a type that the file does not have.
  const profile = profiles.find((one) => one.type === type) ?? profiles[0];
  return {
    ...toEntry(file),
    profileType: profile.profileType,
    type: profile.type,
    types: profiles.map((one) => one.type),
    tree: truncateTree(profile.toTree(), maxNodes),
  };
}

function toEntry({ id, name, uploadedUnixMillis }: AdHocFile): AdHocEntry {
  return { id, name, uploadedUnixMillis };
}

function listTypes(profiles: ProfileFile): string {
  return profiles.map(({ type }) => type).join(", ");
}
