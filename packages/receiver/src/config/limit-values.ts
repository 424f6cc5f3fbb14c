import { ingestLimitSettings, ruleLimitSettings, tenantQueryLimitSettings } from "./limit-settings.ts";
import type { LimitOverrides } from "./overrides.ts";
import type { Setting, SettingTable } from "./setting.ts";
import { duration, levelDurations, mebibytes } from "./setting-kinds.ts";

/** One limit, as it is written in the file of overrides. */
export interface LimitValue {
  /** Such as `ingestion_rate_mb`. */
  readonly name: string;
  readonly text: string;
  /** The same as a number where it is one, times in seconds. */
  readonly value: number | undefined;
}

/** The limits that are given, in the order in which they are documented. */
export function listLimitValues({
  ingest,
  query,
  rules,
  retention,
}: Partial<LimitOverrides>): readonly LimitValue[] {
  return [
    ...listTable(ingestLimitSettings, ingest ?? {}),
    ...listTable(tenantQueryLimitSettings, query ?? {}),
    ...listTable(ruleLimitSettings, rules ?? {}),
    ...toValues("retention_period", retention?.retentionMillis, duration.format),
    ...toValues("retention_levels", retention?.levelMillis, levelDurations.format),
    ...toValues("exemplars_retention", retention?.spanMillis, duration.format),
    ...toValues("tenant_storage_max_mb", retention?.maxTenantBytes, mebibytes.format),
  ];
}

function listTable<Limits extends object>(
  table: SettingTable<Limits>,
  limits: Partial<Limits>,
): readonly LimitValue[] {
  // The table is heterogeneous; each row is only ever used with its own value.
  const rows = Object.entries(table) as [keyof Limits, Setting<unknown>][];
  return rows.flatMap(([field, { flag, format }]) =>
    toValues(flag.replaceAll("-", "_"), limits[field], format),
  );
}

function toValues<T>(
  name: string,
  value: T | undefined,
  format: (value: T) => string,
): readonly LimitValue[] {
  if (value === undefined) return [];
  const text = format(value);
  const isNumber = text !== "" && Number.isFinite(Number(text));
  // What is a number and is not written as one is a time.
  const seconds = typeof value === "number" ? value / 1000 : undefined;
  return [{ name, text, value: isNumber ? Number(text) : seconds }];
}
