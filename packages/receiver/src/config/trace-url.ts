import type { SettingKind } from "./setting.ts";

/** Placeholders of a {@link traceUrl}, and what takes their place. */
export interface TraceUrlValues {
  readonly traceId: string;
  readonly spanId: string;
  readonly service: string;
  /** Unix milliseconds. */
  readonly from: string;
  readonly until: string;
}

const PLACEHOLDER = /\{(traceId|spanId|service|from|until)\}/g;

/** The address of a trace in another program, such as `https://grafana.example.com/trace/{traceId}`; unset is undefined. */
export const traceUrl: SettingKind<string | undefined> = {
  expects: "an http or https address with {traceId} behind its host",
  placeholder: "url",
  isSecret: false,
  parse: (raw) => (raw.includes("{traceId}") && isSafe(raw) ? raw : undefined),
  format: (template) => template ?? "",
};

/** The address of one trace. Values are URL-encoded, so that none of them can lead anywhere else. */
export function formatTraceUrl(template: string, values: TraceUrlValues): string {
  // The pattern names the fields.
  return template.replaceAll(PLACEHOLDER, (_, name: keyof TraceUrlValues) =>
    encodeURIComponent(values[name]),
  );
}

/** Values come from who pushed the profiles: scheme, host and port must stand without them. */
function isSafe(template: string): boolean {
  const [one, other] = ["a", "b"].map((value) => URL.parse(template.replaceAll(PLACEHOLDER, value)));
  if (one === undefined || one === null || other === undefined || other === null) return false;
  const isWeb = one.protocol === "http:" || one.protocol === "https:";
  return isWeb && one.origin === other.origin && one.username + one.password === "";
}
