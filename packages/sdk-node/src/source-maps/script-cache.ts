import type { TraceMap } from "@jridgewell/trace-mapping";
import { locateSource } from "./locate-source.ts";
import { readScriptSources } from "./read-map.ts";
import type { SourceMapAnswer, SourceMapRequest } from "./source-map-messages.ts";

interface CachedScript {
  readonly map: TraceMap;
  readonly codeLines: readonly string[];
  readonly sizeBytes: number;
}

/** Answers requests from the maps of scripts, of which it keeps the latest few: as many as fit into `capacityBytes`. */
export class ScriptCache {
  readonly #capacityBytes: number;
  // In the order of their last use.
  readonly #scripts = new Map<string, CachedScript>();
  #sizeBytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  get scriptCount(): number {
    return this.#scripts.size;
  }

  answer({ id, scriptPath, positions }: SourceMapRequest): SourceMapAnswer {
    const cached = this.#scripts.get(scriptPath);
    if (cached !== undefined) this.#forget(scriptPath, cached);
    const script = cached ?? this.#read(scriptPath);
    if ("kind" in script) return { id, positions: [], ...script };
    this.#remember(scriptPath, script);
    return {
      id,
      kind: "mapped",
      reason: undefined,
      positions: positions.map((position) => locateSource(script.map, script.codeLines, position)),
    };
  }

  #read(scriptPath: string): CachedScript | Pick<SourceMapAnswer, "kind" | "reason"> {
    const sources = readScriptSources(scriptPath);
    if (sources.kind === "none") return { kind: "none", reason: undefined };
    if (sources.kind === "missing") return sources;
    return { map: sources.map, codeLines: sources.code.split("\n"), sizeBytes: sources.sizeBytes };
  }

  #remember(scriptPath: string, script: CachedScript): void {
    this.#scripts.set(scriptPath, script);
    this.#sizeBytes += script.sizeBytes;
    for (const [path, oldest] of this.#scripts) {
      if (this.#sizeBytes <= this.#capacityBytes) break;
      this.#forget(path, oldest);
    }
  }

  #forget(scriptPath: string, { sizeBytes }: CachedScript): void {
    this.#scripts.delete(scriptPath);
    this.#sizeBytes -= sizeBytes;
  }
}
