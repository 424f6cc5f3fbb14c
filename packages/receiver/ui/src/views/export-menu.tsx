import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { DownloadFormat } from "../api/receiver-client.ts";
import type { ProfileQuery } from "../api/wire.ts";
import { parseProfileType } from "../format/profile-type.ts";
import { parseSelector, serviceOf } from "../state/label-filter.ts";
import { useApp } from "./app-context.ts";
import { Popover } from "./popover.tsx";

const FORMATS: readonly {
  readonly format: DownloadFormat;
  readonly label: string;
  readonly suffix: string;
}[] = [
  { format: "pprof", label: "pprof, for go tool pprof and editors", suffix: "pb.gz" },
  {
    format: "collapsed",
    label: "Collapsed stacks, for flamegraph.pl and speedscope",
    suffix: "collapsed.txt",
  },
  { format: "json", label: "Flamebearer JSON with timeline", suffix: "json" },
];

/** A name for a saved profile that says what is in it; only characters that every file system takes. */
export function nameDownload(query: ProfileQuery, suffix: string): string {
  const service = serviceOf(parseSelector(query.selector) ?? []) || "all-services";
  const { sampleType } = parseProfileType(query.type);
  const from = new Date(query.fromMs).toISOString().slice(0, 19);
  return `${service}-${sampleType}-${from}`.replaceAll(/[^\w.-]+/g, "_").concat(".", suffix);
}

/** Saves a query's profile. Fetched, not linked: a link could not carry the token. */
export function ExportMenu({ query }: { query: ProfileQuery }): VNode {
  const { client } = useApp();
  const [problem, setProblem] = useState("");
  const save = async (format: DownloadFormat, suffix: string): Promise<void> => {
    setProblem("");
    try {
      const blob = await client.download(client.renderPath(query, format), new AbortController().signal);
      offerFile(blob, nameDownload(query, suffix));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Popover title="Download profile" align="end" label="Download ▾">
      {(close) => (
        <div class="menu">
          {FORMATS.map(({ format, label, suffix }) => (
            <button
              type="button"
              class="menu-item"
              key={format}
              onClick={() => void save(format, suffix).then(close)}
            >
              {label}
            </button>
          ))}
          {problem !== "" && <p class="notice notice-error">{problem}</p>}
        </div>
      )}
    </Popover>
  );
}

function offerFile(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken hold of the blob by the next task.
  setTimeout(() => URL.revokeObjectURL(address));
}
