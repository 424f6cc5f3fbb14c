// What hostile clients cost: node --conditions=@pyroscope-ts/source packages/receiver/bench/hardening.ts [section [size]]
// The size is label sets for `series`, profiles of a day for `queries`, seconds for `overload`, and tenants for `tenants`.
import { benchHostileBodies } from "./hostile-section.ts";
import { benchOverload } from "./overload-section.ts";
import { benchQueries } from "./queries-section.ts";
import { benchSeries } from "./series-section.ts";
import { benchSlowClients } from "./slow-section.ts";
import { benchTenants } from "./tenants-section.ts";

const sections: Readonly<Record<string, (size?: number) => Promise<void>>> = {
  slow: benchSlowClients,
  series: benchSeries,
  queries: benchQueries,
  overload: benchOverload,
  hostile: benchHostileBodies,
  tenants: benchTenants,
};

const [wanted, size] = process.argv.slice(2);
if (wanted !== undefined && !(wanted in sections)) {
  throw new Error(`section ${wanted}: expected one of ${Object.keys(sections).join(", ")}`);
}
for (const [name, run] of Object.entries(sections)) {
  if (wanted === undefined || wanted === name) await run(size === undefined ? undefined : Number(size));
}
