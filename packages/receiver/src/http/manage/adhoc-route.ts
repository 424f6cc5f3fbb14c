import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { AdHocProfileService } from "@pyroscope-ts/protocol/messages";
import type { AdHocAnswer, AdHocService } from "../../adhoc/adhoc-service.ts";
import type { TenantLimits } from "../../config/tenant-limits.ts";
import type { IngestLimits } from "../../ingest/limits.ts";
import { resolveMaxNodes } from "../../query/node-limit.ts";
import { toRenderDiffJson, toRenderJson } from "../read/render-route-json.ts";
import { requestContextKey } from "../request-context.ts";
import { requireOneTenant } from "../tenants.ts";

/** What {@link createAdHocProfiles} works with. */
export interface AdHocRouteOptions {
  readonly adHoc: AdHocService;
  readonly limits: TenantLimits;
}

/** `adhocprofiles.v1.AdHocProfileService`: single files that someone uploads to look at. */
export function createAdHocProfiles({
  adHoc,
  limits,
}: AdHocRouteOptions): ServiceImpl<typeof AdHocProfileService> {
  const viewOf = (
    context: HandlerContext,
    maxNodes: bigint | undefined,
  ): { readonly tenant: string; readonly limits: IngestLimits; readonly maxNodes: number } => {
    const tenant = requireOneTenant(context.values.get(requestContextKey).tenants);
    return {
      tenant,
      limits: limits.ingestOf(tenant),
      maxNodes: resolveMaxNodes(
        maxNodes === undefined ? undefined : Number(maxNodes),
        limits.queryOf([tenant]),
      ),
    };
  };
  return {
    async upload({ name, profile, maxNodes }, context) {
      const command = { ...viewOf(context, maxNodes), name, base64: profile };
      return toMessage(await adHoc.uploadAdHoc(command));
    },

    async get({ id, profileType, maxNodes }, context) {
      return toMessage(await adHoc.getAdHoc({ ...viewOf(context, maxNodes), id, type: profileType }));
    },

    async list(_request, context) {
      const tenant = requireOneTenant(context.values.get(requestContextKey).tenants);
      const stored = await adHoc.listAdHoc({ tenant });
      return {
        profiles: stored.map(({ id, name, uploadedUnixMillis }) => ({
          id,
          name,
          uploadedAt: BigInt(uploadedUnixMillis),
        })),
      };
    },

    async diff({ leftId, rightId, profileType, maxNodes }, context) {
      const query = { ...viewOf(context, maxNodes), leftId, rightId, type: profileType };
      const { types, tree, profileType: valueType } = await adHoc.diffAdHoc(query);
      return {
        profileTypes: [...types],
        flamebearerProfile: JSON.stringify(toRenderDiffJson(tree, valueType)),
      };
    },
  };
}

function toMessage({ id, name, uploadedUnixMillis, type, types, tree, profileType }: AdHocAnswer) {
  return {
    id,
    name,
    uploadedAt: BigInt(uploadedUnixMillis),
    profileType: type,
    profileTypes: [...types],
    flamebearerProfile: JSON.stringify(toRenderJson(tree, profileType, null, null)),
  };
}
