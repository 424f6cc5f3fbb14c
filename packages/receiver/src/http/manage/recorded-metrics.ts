import type { RecordedSeries } from "../../rules/recording-rule.ts";

/** How many profiles went into each series of a recording rule: an average level is the sum by this. */
const PROFILES_METRIC = "pyroscope_recording_rule_profiles_total";

/** What recording rules have summed, as Prometheus text: a counter by the name that each rule gives it. */
export function renderRecorded(series: readonly RecordedSeries[]): string {
  if (series.length === 0) return "";
  const families = new Map<string, string[]>();
  const profiles: string[] = [];
  for (const one of series) {
    const labels = formatLabels(one);
    const family = families.get(one.metricName);
    const line = `${one.metricName}${labels} ${one.value}`;
    if (family === undefined) families.set(one.metricName, [line]);
    else family.push(line);
    profiles.push(`${PROFILES_METRIC}${labels} ${one.profiles}`);
  }
  families.set(PROFILES_METRIC, profiles);
  const texts = Array.from(families, ([name, lines]) => {
    const help =
      name === PROFILES_METRIC
        ? "Profiles that went into each series of a recording rule."
        : "Sum of the values of profiles, by recording rules of this metric name.";
    return [`# HELP ${name} ${help}`, `# TYPE ${name} counter`, ...lines, ""].join("\n");
  });
  return texts.join("\n");
}

function formatLabels({ tenant, ruleId, labels }: RecordedSeries): string {
  const own = [
    { name: "tenant", value: tenant },
    { name: "profiles_rule_id", value: ruleId },
  ];
  // Prometheus does the same with labels of a target that it has itself.
  const others = new Map(
    labels.map(({ name, value }) => [name === "tenant" ? "exported_tenant" : name, value]),
  );
  const pairs = [...own, ...Array.from(others, ([name, value]) => ({ name, value }))];
  return `{${pairs.map(({ name, value }) => `${name}="${escapeValue(value)}"`).join(",")}}`;
}

/** Source: prometheus.io/docs/instrumenting/exposition_formats. */
function escapeValue(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
