import { systemClock } from "./clock.ts";
import { parseDuration } from "./config/duration.ts";
import { Secret } from "./config/secret.ts";
import { ReceiverError } from "./errors.ts";
import { openHistorySource } from "./import/history-source.ts";
import { importHistory } from "./import/import-history.ts";
import { ImportProgress } from "./import/import-progress.ts";
import { expandRecord } from "./ingest/expand-record.ts";
import { Ingester } from "./ingest/ingester.ts";
import { openStore } from "./store/local-store.ts";
import { nodeFs } from "./store/node-fs.ts";

const DAY_MS = 86_400_000;

/** Flags of `pyroscope import`, as they were typed. */
export interface ImportFlags {
  readonly from: string;
  readonly since: string;
  readonly step: string;
  readonly tenant: string;
  readonly fromTenant?: string;
  readonly fromToken?: string;
  readonly fromUser?: string;
}

/**
 * `pyroscope import`: copies another server's history into a data directory, which it holds meanwhile.
 *
 * @throws {@link ReceiverError} CONFIG_INVALID for a flag that cannot be used; STORAGE_LOCKED while a receiver runs on the
 * directory; what the import throws.
 */
export async function runImport(
  directory: string,
  flags: ImportFlags,
  write: (text: string) => void,
): Promise<void> {
  const url = parseUrl(flags.from);
  const sinceMs = parseSpan("since", flags.since);
  const stepMs = parseSpan("step", flags.step);
  if (DAY_MS % stepMs !== 0)
    throw invalid("step", flags.step, "a duration that divides a day, such as 1h or 15m");
  const report = (line: string): void => write(`${line}\n`);
  const { tenant, fromTenant, fromToken, fromUser } = flags;
  const source = openHistorySource({
    url,
    ...(fromTenant !== undefined && { tenant: fromTenant }),
    ...(fromToken !== undefined && { token: new Secret(fromToken) }),
    ...(fromUser !== undefined && { user: fromUser }),
    onRetry: report,
  });
  const store = await openStore({
    ...{ directory, fs: nodeFs, clock: systemClock, expand: expandRecord, retentionMillis: 0 },
    log: report,
  });
  try {
    const target = new Ingester({ store, log: (message, error) => report(`${message}: ${String(error)}`) });
    const key = { url, fromTenant: fromTenant ?? "", tenant, stepMs };
    const progress = await ImportProgress.read(nodeFs, directory, key);
    const untilUnixMillis = systemClock.nowUnixMillis();
    const sinceUnixMillis = untilUnixMillis - sinceMs;
    const { dayCount, skippedDayCount, profileCount } = await importHistory({
      ...{ source, target, progress, tenant, stepMs, sinceUnixMillis, untilUnixMillis, report },
    });
    report(
      `${profileCount} profiles of ${dayCount - skippedDayCount} days, ${skippedDayCount} days done before`,
    );
  } finally {
    await store.close();
  }
}

function parseUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw invalid("from", text, "the address of a server, such as http://pyroscope:4040");
  }
  if (url.username !== "" || url.password !== "") {
    throw new ReceiverError(
      "from: expected no user or password in the address; --from-user and --from-token are for them",
      {
        code: "CONFIG_INVALID",
      },
    );
  }
  return text;
}

function parseSpan(flag: string, text: string): number {
  const millis = parseDuration(text);
  if (millis === undefined || millis <= 0) throw invalid(flag, text, "a duration above 0, such as 30d or 6h");
  return millis;
}

function invalid(flag: string, value: string, expected: string): ReceiverError {
  return new ReceiverError(`${flag}=${JSON.stringify(value)}: expected ${expected}`, {
    code: "CONFIG_INVALID",
  });
}
