/** The formats that `/ingest` knows by name. */
export type IngestFormat =
  | "trie"
  | "tree"
  | "lines"
  | "jfr"
  | "pprof"
  | "speedscope"
  | "multipart"
  | "groups";

/**
 * Selects the format of an `/ingest` body: the first rule that matches decides.
 *
 * `multipart` is a pprof in a form; `groups` (folded text) is what every unknown format means.
 *
 * Source: Pyroscope pkg/ingester/pyroscope/ingest_handler.go.
 */
export function selectIngestFormat(format: string, contentType: string): IngestFormat {
  if (format === "trie" || contentType === "binary/octet-stream+trie") return "trie";
  if (format === "tree" || contentType === "binary/octet-stream+tree") return "tree";
  switch (format) {
    case "lines":
    case "jfr":
    case "pprof":
    case "speedscope":
      return format;
    default:
      return contentType.includes("multipart/form-data") ? "multipart" : "groups";
  }
}
