import type { FastifyInstance } from "fastify";
import { listSettingValues, type ReceiverConfig, type SettingRow, type SettingValue } from "../../config.ts";

/** Options of {@link addConfigRoutes}. */
export interface ConfigRoutesOptions {
  readonly config: ReceiverConfig;
}

/**
 * `GET /api/v1/status/config`: every setting as it is, as YAML; `…/diff`: those that are not at their default;
 * `…/default`: the defaults. Secrets are masked.
 */
export function addConfigRoutes(app: FastifyInstance, { config }: ConfigRoutesOptions): void {
  // Settings do not change while the server runs.
  const values = listSettingValues(config);
  const changed = values.filter(({ row, value }) => value !== row.defaultText);
  const defaults = values.map(({ row }) => ({ row, value: row.defaultText }));
  const pages: readonly (readonly [path: string, values: readonly SettingValue[]])[] = [
    ["/api/v1/status/config", values],
    ["/api/v1/status/config/diff", changed],
    ["/api/v1/status/config/default", defaults],
  ];
  for (const [path, shown] of pages) {
    const text = formatYaml(shown);
    app.get(path, async (_request, reply) => reply.type("text/plain; charset=utf-8").send(text));
  }
}

/** Limits stand together under the names that a file of overrides uses. */
const sections: { readonly [K in SettingRow["group"]]: string } = {
  Server: "server",
  "Object storage": "storage",
  "Query engine": "query",
  "Limits of pushes": "limits",
  "Limits of queries": "limits",
  "Limits of recording rules": "limits",
};

function formatYaml(values: readonly SettingValue[]): string {
  const blocks = [...new Set(Object.values(sections))].map((section) => {
    const lines = values
      .filter(({ row }) => sections[row.group] === section)
      .map(({ row, value }) => `  ${row.flag.replaceAll("-", "_")}: ${formatScalar(value)}\n`);
    return lines.length === 0 ? "" : `${section}:\n${lines.join("")}`;
  });
  return blocks.join("") || "{}\n";
}

/** Numbers and booleans as they are; any other text in quotes, as JSON writes it, which YAML reads. */
function formatScalar(value: string): string {
  return /^(?:true|false|\d+(?:\.\d+)?)$/.test(value) ? value : JSON.stringify(value);
}
