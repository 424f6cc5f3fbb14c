import type { Store } from "../store.ts";
import { everything, withSnapshot } from "./store-directory.ts";

const DAY_MS = 86_400_000;

/** Rows of samples that have an id of a span or a trace, by the day since a moment. */
export async function spanRowsByDay(
  store: Store,
  tenant: string,
  sinceUnixMillis: number,
): Promise<Readonly<Record<string, number>>> {
  return await withSnapshot(store, everything(tenant), async ({ database, from }) => {
    const rows = await database.select(
      `SELECT ((epoch_ms(time) - ${sinceUnixMillis}) // ${DAY_MS})::VARCHAR AS day, count(*) AS n FROM ${from("samples")}
 WHERE span_id IS NOT NULL OR trace_id IS NOT NULL GROUP BY day ORDER BY day`,
    );
    const counts = rows.bigints("n");
    return Object.fromEntries(rows.texts("day").map((day, i) => [day, Number(counts[i])]));
  });
}
