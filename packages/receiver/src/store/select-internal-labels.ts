/** Labels that follow from the profile type, with the part of its id (0-based) that they are. */
export const typeParts: ReadonlyMap<string, number> = new Map([
  ["__type__", 1],
  ["__unit__", 2],
  ["__period_type__", 3],
  ["__period_unit__", 4],
]);

/** The label whose value is the whole profile type id. */
export const PROFILE_TYPE_LABEL = "__profile_type__";

/** Labels that repeat `service_name`, the label itself included: a row's `service`. */
export const serviceLabels: readonly string[] = ["service_name", "__service_name__"];

/** Names of the labels that Pyroscope adds to every series and that no series' map holds, in byte order. */
export const INTERNAL_LABELS: readonly string[] = [
  "__period_type__",
  "__period_unit__",
  PROFILE_TYPE_LABEL,
  "__service_name__",
  "__type__",
  "__unit__",
];

/** Whether a label's value depends on the profile type alone. */
export function isTypeLabel(name: string): boolean {
  return name === PROFILE_TYPE_LABEL || typeParts.has(name);
}

/** Whether a label is the same for all series of a service and type. */
export function isServiceLabel(name: string): boolean {
  return isTypeLabel(name) || serviceLabels.includes(name) || name === "__name__";
}

/** The value of such a label; "" for a label that does not depend on the type. */
export function typeLabelValue(profileType: string, name: string): string {
  if (name === PROFILE_TYPE_LABEL) return profileType;
  const part = typeParts.get(name);
  return part === undefined ? "" : (profileType.split(":")[part] ?? "");
}
