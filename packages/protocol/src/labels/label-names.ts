/** A label name that means something to Pyroscope. */
export interface ReservedLabel {
  readonly name: string;
  /** Who writes it: a client with its profiles, or the server when it stores them. */
  readonly writer: "client" | "server";
  /** What its value says. */
  readonly meaning: string;
}

/** Profile name, the first part of a profile type id. */
export const PROFILE_NAME_LABEL = "__name__";
/** The whole profile type id. */
export const PROFILE_TYPE_LABEL = "__profile_type__";
/** The service that a profile is of. */
export const SERVICE_NAME_LABEL = "service_name";
/** Label that keeps the name of an application whose service has another name. */
export const APP_NAME_LABEL = "app_name";
/** Distinguishes runs of one process; dropped by servers unless told otherwise. */
export const SESSION_ID_LABEL = "__session_id__";
/** `"false"`: the values are differences already. */
export const DELTA_LABEL = "__delta__";
/** Value of `service_name` where a client names no service. */
export const UNKNOWN_SERVICE = "unknown_service";

/** Every label name that Pyroscope's servers or clients give a meaning to. */
export const RESERVED_LABELS: readonly ReservedLabel[] = [
  { name: PROFILE_NAME_LABEL, writer: "client", meaning: "profile name, the first part of the profile type" },
  { name: SERVICE_NAME_LABEL, writer: "client", meaning: "the service" },
  { name: DELTA_LABEL, writer: "client", meaning: '"false": values are differences already' },
  { name: SESSION_ID_LABEL, writer: "client", meaning: "one run of one process" },
  { name: "__otel__", writer: "client", meaning: '"true": came as an OTLP profile' },
  { name: "service_repository", writer: "client", meaning: "address of the source repository" },
  { name: "service_git_ref", writer: "client", meaning: "commit that was built" },
  { name: "service_root_path", writer: "client", meaning: "folder of the service in its repository" },
  { name: "pyroscope_spy", writer: "client", meaning: "the profiler that sent it" },
  { name: "otel.scope.name", writer: "client", meaning: "name of the SDK" },
  { name: "otel.scope.version", writer: "client", meaning: "version of the SDK" },
  { name: "process.runtime.name", writer: "client", meaning: "language runtime" },
  { name: "process.runtime.version", writer: "client", meaning: "version of the language runtime" },
  { name: PROFILE_TYPE_LABEL, writer: "server", meaning: "profile type id" },
  { name: "__type__", writer: "server", meaning: "sample type" },
  { name: "__unit__", writer: "server", meaning: "sample unit" },
  { name: "__period_type__", writer: "server", meaning: "period type" },
  { name: "__period_unit__", writer: "server", meaning: "period unit" },
  { name: "__service_name__", writer: "server", meaning: "copy of service_name" },
  { name: "__sampled__", writer: "server", meaning: '"true": kept as a total only' },
  { name: "__order__", writer: "server", meaning: "order of labels in storage" },
  { name: "__name_replaced__", writer: "server", meaning: "profile name before it was replaced" },
];

/**
 * Whether `/ingest` keeps a label of this name that stands in the application name: names that begin with `__`
 * belong to the server, except the session's.
 */
export function isIngestLabelName(name: string): boolean {
  return !name.startsWith("__") || name === SESSION_ID_LABEL;
}

/** Whether a name can be written without quotes in a selector: `[A-Za-z_][A-Za-z0-9_]*`. */
export function isClassicLabelName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}

/**
 * Makes of any text a name that every Pyroscope and Prometheus accepts, `[A-Za-z_][A-Za-z0-9_]*`: each other
 * character becomes `_`, and `_` goes before a leading digit. Different texts can give one name.
 */
export function sanitizeLabelName(name: string): string {
  const replaced = name.replace(/[^A-Za-z0-9_]/gu, "_");
  return /^[A-Za-z_]/.test(replaced) ? replaced : `_${replaced}`;
}
