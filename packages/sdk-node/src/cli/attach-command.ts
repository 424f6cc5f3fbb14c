import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { encodePprof } from "@pyroscope-ts/protocol/profiler";
import type { AttachedProfiles } from "../attach/attach-profile.ts";
import { attachAndProfile } from "../attach/attach-profile.ts";
import { systemClock } from "../clock.ts";
import type { SdkConfig } from "../config.ts";
import { Diagnostics } from "../diagnostics.ts";
import { SdkError } from "../errors.ts";
import { encodeProfile } from "../exporters/encode-profile.ts";
import type { ProfileUpload } from "../exporters/exporter.ts";
import { createTargets, loadExporter, nameOfTarget } from "../exporters/exporter-target.ts";
import type { Environment } from "../resolve-config.ts";
import { checkProblems, resolveConfig } from "../resolve-config.ts";
import { createResource } from "../resource.ts";
import { durationKind } from "../setting.ts";
import { joinProfiles } from "../transform/join-profiles.ts";
import type { ParsedFlags } from "./flags.ts";
import { parseFlags } from "./flags.ts";

interface AttachRequest {
  readonly pid: number;
  readonly durationMs: number;
  readonly output: string | undefined;
  readonly config: SdkConfig;
  /** Somebody said under which name to send. */
  readonly isSending: boolean;
}

// A tick each 10 ms for ten minutes is 60,000 ticks, some megabytes in the target.
const durations = durationKind("100ms", "10m");

/**
 * `attach PID`: profiles a process that runs, writes the profile to a file or sends it, and leaves the process as it was.
 *
 * @throws {@link SdkError} `CONFIG_INVALID` for bad arguments, `ATTACH_FAILED`, or what the server answered.
 */
export async function runAttach(args: readonly string[], environment: Environment): Promise<void> {
  const request = readRequest(args, environment);
  const { config, durationMs, output, pid } = request;
  const diagnostics = new Diagnostics(config.logger, config.logLevel);
  const interrupt = new AbortController();
  const onSignal = (): void => interrupt.abort();
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  // Threads and sockets of this package hold no process.
  const release = systemClock.afterHolding(LONGEST_TIMER_MS, () => undefined);
  try {
    const attached = await attachAndProfile({
      pid,
      durationMs,
      sampleRateHz: config.sampleRateHz,
      sourceMaps: config.sourceMaps,
      signal: interrupt.signal,
      onStarted: () => void process.stdout.write(`profiling PID ${pid} for ${durationMs / 1000} s\n`),
      clock: systemClock,
      diagnostics,
    });
    if (output !== undefined) await writeProfile(output, attached);
    if (request.isSending) await sendProfiles(attached, config);
  } finally {
    release();
    process.removeListener("SIGINT", onSignal);
    process.removeListener("SIGTERM", onSignal);
  }
}

function readRequest(args: readonly string[], environment: Environment): AttachRequest {
  const before = parseFlags(args, OWN_FLAGS);
  const [pidText, ...afterPid] = before.rest;
  const after: ParsedFlags = parseFlags(afterPid, OWN_FLAGS);
  if (pidText === undefined || !/^[1-9]\d{0,9}$/.test(pidText)) {
    throw invalid(`attach ${pidText ?? ""}: expected the PID of a Node process, as in attach 1234`);
  }
  if (after.rest.length > 0) throw invalid(`attach: ${after.rest[0]} is no flag`);
  const own = { ...before.own, ...after.own };
  const durationText = own.duration ?? "10s";
  const durationMs = durations.fromText(durationText);
  if (durationMs === undefined) throw invalid(`--duration=${durationText}: expected ${durations.expects}`);
  const { config, problems } = resolveConfig({}, { ...environment, ...before.variables, ...after.variables });
  checkProblems(problems);
  const isSending = config.applicationName !== UNKNOWN_NAME;
  if (!isSending && own.output === undefined) {
    throw invalid(
      `attach ${pidText}: nowhere to put the profile: expected --output FILE to write it, ` +
        `or --application-name NAME to send it to ${config.serverAddress}`,
    );
  }
  return { pid: Number(pidText), durationMs, output: own.output, config, isSending };
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

const OWN_FLAGS: readonly string[] = ["duration", "output"];

const UNKNOWN_NAME = "unknown_service";

function invalid(message: string): SdkError {
  return new SdkError(message, { code: "CONFIG_INVALID" });
}

/** Both types in one pprof, as `go tool pprof` takes it. */
async function writeProfile(path: string, { profiles }: AttachedProfiles): Promise<void> {
  const [first] = profiles;
  if (first === undefined)
    throw new SdkError("the process did nothing: no profile", { code: "ATTACH_FAILED" });
  // A pprof has one period for all its types: it is the same time.
  const { periodType } = first.profile;
  const joined = joinProfiles(profiles.map(({ profile }) => ({ ...profile, periodType })));
  try {
    await writeFile(path, gzipSync(encodePprof(joined)));
  } catch (cause) {
    throw new SdkError(`writing ${path}`, { code: "ATTACH_FAILED", cause });
  }
  process.stdout.write(`${path}: ${joined.samples.length} stacks of CPU and wall time\n`);
}

/** To every exporter that the settings name. */
async function sendProfiles(
  { endUnixMs, nodeVersion, profiles, startUnixMs }: AttachedProfiles,
  config: SdkConfig,
): Promise<void> {
  const { labels } = createResource(config, { nodeVersion: nodeVersion.slice(1) });
  const upload: ProfileUpload = {
    startUnixMs,
    endUnixMs,
    labels,
    profiles: profiles.flatMap(({ name, type, profile }) =>
      encodeProfile(profile).map((part) => ({ ...part, name, type, id: randomUUID() })),
    ),
  };
  for (const target of createTargets(config)) {
    const exporter = await loadExporter(target, systemClock);
    try {
      const result = await exporter.export(upload, AbortSignal.timeout(config.uploadTimeoutMs));
      if (!result.ok) throw result.error;
      process.stdout.write(`sent by the exporter ${nameOfTarget(target)} as ${config.applicationName}\n`);
    } finally {
      await exporter.shutdown();
    }
  }
}
