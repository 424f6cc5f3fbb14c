import { readFileSync } from "node:fs";
import { type CustomExporter, isCustomExporter } from "./exporters/custom-exporter.ts";
import type { ExporterName } from "./options.ts";
import { mapKind, toHeaders } from "./sdk-setting-kinds.ts";
import { Secret } from "./secret.ts";
import { pairsKind, type SettingKind, textKind } from "./setting.ts";

const exporterNames: readonly ExporterName[] = ["pyroscope", "otlp", "file"];

/** Exporters by name, and in code objects with a function `export`; as text separated by commas. */
export const exportersKind: SettingKind<readonly (ExporterName | CustomExporter)[]> = {
  expects: `some of ${exporterNames.join(", ")}, in code also objects with a function export`,
  fromText: (text) => findExporters(text.split(",").map((word) => word.trim().toLowerCase())),
  fromOption: (value) => findExporters(Array.isArray(value) ? value : [value]),
};

function findExporters(values: readonly unknown[]): readonly (ExporterName | CustomExporter)[] | undefined {
  const found = new Set<ExporterName | CustomExporter>();
  for (const value of values) {
    const name = exporterNames.find((each) => each === value);
    if (name !== undefined) found.add(name);
    else if (isCustomExporter(value)) found.add(value);
    else return undefined;
  }
  return found.size === 0 ? undefined : [...found];
}

/** Headers as OpenTelemetry writes them: values are percent-encoded in text. */
export const otlpHeadersKind: SettingKind<ReadonlyMap<string, Secret>> = {
  expects: "header names with values of printable ASCII",
  fromText: (text) => pairsKind("", (pairs) => toHeaders(pairs.map(decodePair))).fromText(text),
  fromOption: (value) => pairsKind("", toHeaders).fromOption(value),
};

/** Attributes of a resource as OpenTelemetry writes them: values are percent-encoded in text. */
export const resourceAttributesKind: SettingKind<readonly (readonly [string, string])[]> = {
  expects: "names with texts",
  fromText: (text) => pairsKind("", (pairs) => toAttributes(pairs.map(decodePair))).fromText(text),
  fromOption: (value) => pairsKind("", toAttributes).fromOption(value),
};

function toAttributes(
  pairs: readonly (readonly [string, unknown])[],
): readonly (readonly [string, string])[] | undefined {
  const attributes = pairs.flatMap(([name, value]) =>
    typeof value === "string" && name !== "" ? [[name, value] as const] : [],
  );
  return attributes.length === pairs.length ? attributes : undefined;
}

function decodePair([name, value]: readonly [string, unknown]): readonly [string, unknown] {
  if (typeof value !== "string") return [name, value];
  try {
    return [name, decodeURIComponent(value)];
  } catch {
    // A lone % is not an escape: take it as it stands.
    return [name, value];
  }
}

const pemKind: SettingKind<string> = {
  expects: "PEM, or the path of a PEM file",
  fromText: readPem,
  fromOption: (value) => (typeof value === "string" ? readPem(value) : undefined),
};

/** Certificates. */
export const certificateKind: SettingKind<string | undefined> = pemKind;

/** A private key. */
export const privateKeyKind: SettingKind<Secret | undefined> = mapKind(pemKind, (text) => new Secret(text));

const PEM_BEGIN = "-----BEGIN ";

function readPem(text: string): string | undefined {
  // An environment variable often has its line breaks written as \n.
  if (text.includes(PEM_BEGIN)) return text.replaceAll("\\n", "\n");
  try {
    const content = readFileSync(text.trim(), "utf8");
    return content.includes(PEM_BEGIN) ? content : undefined;
  } catch {
    return undefined;
  }
}

/** URL of a proxy, whose password must not be printed. */
export const proxyKind: SettingKind<Secret | undefined> = mapKind(
  textKind("an http:// or https:// URL", (text) => {
    const url = URL.canParse(addScheme(text)) ? new URL(addScheme(text)) : undefined;
    return (url?.protocol === "http:" || url?.protocol === "https:") && url.hostname !== "";
  }),
  (text) => new Secret(addScheme(text)),
);

/** Proxies are often given as `host:port`. */
function addScheme(text: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
}
