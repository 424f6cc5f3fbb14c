import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { SettingsService as SettingsApi } from "@pyroscope-ts/protocol/messages";
import { ReceiverError } from "../../errors.ts";
import type { SettingsService, StoredSetting } from "../../settings/settings-service.ts";
import { requestContextKey } from "../request-context.ts";
import { requireOneTenant } from "../tenants.ts";

/** What {@link createSettings} works with. */
export interface SettingsRouteOptions {
  readonly settings: SettingsService;
  readonly clock: { nowUnixMillis(): number };
}

/** `settings.v1.SettingsService`: where Profiles Drilldown keeps what its users chose. */
export function createSettings({ settings, clock }: SettingsRouteOptions): ServiceImpl<typeof SettingsApi> {
  return {
    async get(_request, context) {
      const stored = await settings.listSettings({ tenant: tenantOf(context) });
      return { settings: stored.map(toMessage) };
    },

    async set({ setting }, context) {
      if (setting === undefined) {
        throw new ReceiverError("setting is required", { code: "INVALID_ARGUMENT" });
      }
      const { name, value, modifiedAt } = setting;
      const modifiedUnixMillis = modifiedAt === 0n ? clock.nowUnixMillis() : Number(modifiedAt);
      const command = { tenant: tenantOf(context), setting: { name, value, modifiedUnixMillis } };
      return { setting: toMessage(await settings.setSetting(command)) };
    },

    async delete({ name }, context) {
      await settings.deleteSetting({ tenant: tenantOf(context), name });
      return {};
    },
  };
}

function tenantOf(context: HandlerContext): string {
  return requireOneTenant(context.values.get(requestContextKey).tenants);
}

function toMessage({ name, value, modifiedUnixMillis }: StoredSetting) {
  return { name, value, modifiedAt: BigInt(modifiedUnixMillis) };
}
