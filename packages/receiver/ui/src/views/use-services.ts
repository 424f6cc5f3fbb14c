import { useEffect } from "preact/hooks";
import { compareProfileTypes } from "../format/profile-type.ts";
import { parseSelector, serviceOf } from "../state/label-filter.ts";
import { latest } from "../state/resource.ts";
import { useApp, useView } from "./app-context.ts";
import { type ResourceView, useResource } from "./use-resource.ts";

/** Services with their profile types, the usual types first. */
export type Services = ReadonlyMap<string, readonly string[]>;

/** The services of the page's range. */
export function useServices(): ResourceView<Services> {
  const { client, range } = useApp();
  const resolved = range.value;
  return useResource(resolved === undefined ? undefined : JSON.stringify(resolved), async (signal) => {
    if (resolved === undefined) return new Map();
    const services = await client.listServices(resolved, signal);
    return new Map(
      [...services].map(([name, types]) => [name, types.toSorted(compareProfileTypes)] as const),
    );
  });
}

/** Profile types to choose from: the service's, or everybody's when no single service is chosen. */
export function listTypes(services: Services, service: string): readonly string[] {
  const own = services.get(service);
  if (own !== undefined) return own;
  return [...new Set([...services.values()].flat())].sort(compareProfileTypes);
}

/** A link without a profile type gets the first that the service has. */
export function useSettledType(services: ResourceView<Services>): void {
  const { navigation } = useApp();
  const [view] = useView();
  const known = latest(services.state);
  const service = serviceOf(parseSelector(view.query) ?? []);
  const first = known === undefined ? undefined : listTypes(known, service)[0];
  const isOpen = view.page !== "overview" && view.type === "";
  useEffect(() => {
    if (isOpen && first !== undefined) navigation.settle({ type: first });
  }, [isOpen, first, navigation]);
}
