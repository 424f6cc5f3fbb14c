import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { RecordingRulesService, UpsertRecordingRuleRequest } from "@pyroscope-ts/protocol/messages";
import type { TenantLimits } from "../../config/tenant-limits.ts";
import { ReceiverError } from "../../errors.ts";
import { profileTypeOf } from "../../rules/check-rule.ts";
import { toNotFound } from "../../rules/place-rule.ts";
import type { RecordingRule, RuleRequest } from "../../rules/recording-rule.ts";
import type { RulesService } from "../../rules/rules-service.ts";
import { requestContextKey } from "../request-context.ts";
import { requireOneTenant } from "../tenants.ts";

/** What {@link createRecordingRules} works with. */
export interface RecordingRulesOptions {
  readonly rules: RulesService;
  readonly limits: TenantLimits;
}

/** `settings.v1.RecordingRulesService`: metrics that are made of profiles as they are stored. */
export function createRecordingRules({
  rules,
  limits,
}: RecordingRulesOptions): ServiceImpl<typeof RecordingRulesService> {
  return {
    async getRecordingRule({ id }, context) {
      const wanted = requireId(id);
      const stored = await rules.listRules({ tenant: tenantOf(context) });
      const rule = stored.find((one) => one.id === wanted);
      if (rule === undefined) throw toNotFound(wanted);
      return { rule: toMessage(rule) };
    },

    async listRecordingRules(_request, context) {
      const stored = await rules.listRules({ tenant: tenantOf(context) });
      return { rules: stored.map(toMessage) };
    },

    async upsertRecordingRule(request, context) {
      const tenant = tenantOf(context);
      const { maxRuleCount } = limits.rulesOf(tenant);
      return {
        rule: toMessage(await rules.upsertRule({ tenant, rule: fromMessage(request), maxRuleCount })),
      };
    },

    async deleteRecordingRule({ id }, context) {
      await rules.deleteRule({ tenant: tenantOf(context), id: requireId(id) });
      return {};
    },
  };
}

function tenantOf(context: HandlerContext): string {
  return requireOneTenant(context.values.get(requestContextKey).tenants);
}

function requireId(id: string): string {
  const trimmed = id.trim();
  if (trimmed === "") {
    throw new ReceiverError("invalid request: id is required", { code: "INVALID_ARGUMENT" });
  }
  return trimmed;
}

function fromMessage(request: UpsertRecordingRuleRequest): RuleRequest {
  const { id, metricName, matchers, groupBy, externalLabels, generation } = request;
  const { functionName: filter } = request.stacktraceFilter ?? {};
  if (filter !== undefined && filter.metricType !== 0) {
    throw new ReceiverError(
      `invalid request: stacktrace_filter with metric_type ${filter.metricType}: there is only 0, TOTAL`,
      { code: "INVALID_ARGUMENT" },
    );
  }
  return {
    ...{ id, metricName, matchers, groupBy },
    externalLabels: externalLabels.map(({ name, value }) => ({ name, value })),
    functionName: filter?.functionName ?? "",
    generation: Number(generation),
  };
}

function toMessage(rule: RecordingRule) {
  const { id, metricName, matchers, groupBy, externalLabels, functionName, generation, isProvisioned } = rule;
  return {
    ...{ id, metricName, profileType: profileTypeOf(matchers) },
    ...{ matchers: [...matchers], groupBy: [...groupBy] },
    externalLabels: externalLabels.map(({ name, value }) => ({ name, value })),
    generation: BigInt(generation),
    provisioned: isProvisioned === true,
    ...(functionName === "" ? {} : { stacktraceFilter: { functionName: { functionName } } }),
  };
}
