import { getLabel, parseSelector, SERVICE_NAME_LABEL } from "@pyroscope-ts/protocol";
import type { QueryService } from "../../query/query-service.ts";

/** The copy of `service_name` that Pyroscope's answers have. */
const SERVICE_LABELS: readonly string[] = [SERVICE_NAME_LABEL, "__service_name__"];

/**
 * The same queries without some applications in lists: values of `service_name`, and series that tell services apart. Whoever
 * names one in a selector gets it: what is hidden is out of the way, not secret.
 */
export function hideApplications(queries: QueryService, hidden: readonly string[]): QueryService {
  if (hidden.length === 0) return queries;
  const names = new Set(hidden);
  return {
    ...queries,
    async labelValues(query, options) {
      const answer = await queries.labelValues(query, options);
      if (!SERVICE_LABELS.includes(query.name) || namesService(query.selectors)) return answer;
      return { ...answer, value: answer.value.filter((value) => !names.has(value)) };
    },
    async series(query, options) {
      const answer = await queries.series(query, options);
      if (namesService(query.selectors)) return answer;
      const isShown = (label: string, labels: Parameters<typeof getLabel>[0]) =>
        !names.has(getLabel(labels, label) ?? "");
      return {
        ...answer,
        value: answer.value.filter((labels) => SERVICE_LABELS.every((label) => isShown(label, labels))),
      };
    },
  };
}

/** Whether selectors ask for one service. Those that cannot be read were refused before. */
function namesService(selectors: readonly string[]): boolean {
  return selectors
    .flatMap((selector) => parseSelector(selector))
    .some(({ name, op }) => op === "=" && SERVICE_LABELS.includes(name));
}
