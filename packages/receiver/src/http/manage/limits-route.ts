import type { FastifyInstance, FastifyRequest } from "fastify";
import { type LimitValue, listLimitValues } from "../../config/limit-values.ts";
import type { LimitOverrides } from "../../config/overrides.ts";
import type { TenantLimits } from "../../config/tenant-limits.ts";
import { getRequestContext } from "../request-context.ts";
import { requireOneTenant } from "../tenants.ts";

/** Options of {@link addLimitsRoutes}. */
export interface LimitsRoutesOptions {
  readonly limits: TenantLimits;
}

/**
 * `GET /runtime_config`: what the file of overrides gives the tenants of the request, as YAML that the file could hold;
 * with `?mode=diff` only what differs from the limits of all. `GET /api/v1/tenant_limits`: every limit of one tenant as
 * it is in force, as JSON.
 */
export function addLimitsRoutes(app: FastifyInstance, { limits }: LimitsRoutesOptions): void {
  app.get("/runtime_config", async (request: FastifyRequest<{ Querystring: { mode?: string } }>, reply) => {
    const isDiff = request.query.mode === "diff";
    const blocks = getRequestContext(request).tenants.flatMap((tenant) => {
      const overrides = limits.overrides.get(tenant);
      return overrides === undefined ? [] : [formatTenant(tenant, listOverrides(limits, overrides, isDiff))];
    });
    const text = blocks.length === 0 ? "overrides: {}\n" : `overrides:\n${blocks.join("")}`;
    return reply.type("text/plain; charset=utf-8").send(text);
  });

  app.get("/api/v1/tenant_limits", async (request) => {
    const tenant = requireOneTenant(getRequestContext(request).tenants);
    const values = listLimitValues({
      ingest: limits.ingestOf(tenant),
      query: limits.queryOf([tenant]),
      rules: limits.rulesOf(tenant),
      retention: limits.retentionOf(tenant),
    });
    return Object.fromEntries(values.map(({ name, text }) => [name, toScalar(text)]));
  });
}

function listOverrides(
  limits: TenantLimits,
  overrides: LimitOverrides,
  isDiff: boolean,
): readonly LimitValue[] {
  const values = listLimitValues(overrides);
  if (!isDiff) return values;
  const defaults = new Map(listLimitValues(limits.defaults).map(({ name, text }) => [name, text]));
  return values.filter(({ name, text }) => defaults.get(name) !== text);
}

function formatTenant(tenant: string, values: readonly LimitValue[]): string {
  if (values.length === 0) return `  ${JSON.stringify(tenant)}: {}\n`;
  const lines = values.map(({ name, text }) => `    ${name}: ${JSON.stringify(toScalar(text))}\n`);
  return `  ${JSON.stringify(tenant)}:\n${lines.join("")}`;
}

/** Numbers and booleans as they are, any other text as one. */
function toScalar(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
}
