import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { setFlagsFromString } from "node:v8";
import { type Command, CommanderError } from "commander";
import { requestDeletion } from "./admin-commands.ts";
import { type AdminServer, createCli, type FlagValues, type SqlCommand } from "./cli.ts";
import { describeConfig, resolveConfig } from "./config.ts";
import { ReceiverError } from "./errors.ts";
import type { ImportFlags } from "./import-command.ts";
import { createReceiver, type Receiver, version } from "./receiver.ts";
import { resolveStorePlace, type StorePlace } from "./store-place.ts";
import { boundYoungGeneration } from "./young-generation.ts";

/** The command line or a setting is wrong; nothing was started. */
const EXIT_USAGE = 2;
/** The receiver could not start, or could not go on. */
const EXIT_FAILURE = 1;

// A pushed profile passes through about 350 kB of buffers, which V8 counts towards the next marking of the whole heap: heaps
// of 17 MB were marked anew every 24 profiles, which cost up to 1 ms of other threads' time for each. With room for three
// times the live heap it is a quarter of that.
const HEAP_GROWTH_PERCENT = 200;

const cli = createCli({
  startServer,
  verifyStore,
  repairStore,
  querySql,
  deleteApplication,
  importHistory,
  version,
});
overrideExits(cli);

try {
  await cli.parseAsync();
} catch (error) {
  // Help and version arrive here too, with exit code 0; commander has printed what there is to say.
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE);
  exitWith(error);
}

function overrideExits(command: Command): void {
  command.exitOverride();
  for (const sub of command.commands) overrideExits(sub);
}

async function deleteApplication(name: string, { url, token, tenant }: AdminServer): Promise<void> {
  const secret = token?.startsWith("@") ? readText(token.slice(1)).trim() : token;
  writeOut(await requestDeletion(name, { url, token: secret, tenant }));
}

async function startServer(flags: FlagValues): Promise<void> {
  // Before the storage thread begins: its heap reads this, too.
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
  boundYoungGeneration();
  const config = resolveConfig({
    flags,
    environment: process.env,
    readFile: readText,
  });
  const receiver = createReceiver(config);
  const { log } = receiver;
  handleFailures(receiver);
  handleSignals(receiver);
  log.info({ version, node: process.versions.node, settings: describeConfig(config) }, "starting");
  const address = await receiver.start();
  // The first line on standard output is for programs that start this one.
  process.stdout.write(`pyroscope: listening on ${address}\n`);
  if (config.authTokens.length === 0)
    log.warn("no tokens are set: whoever reaches the port may push and read");
  log.info({ address, storagePath: config.storagePath }, "listening");
}

// Loaded only here: the server's own thread needs no DuckDB.
async function verifyStore(flags: FlagValues): Promise<void> {
  const { runStoreVerify } = await import("./store-commands.ts");
  const isGood = await runStoreVerify(storePlaceOf(flags), writeOut);
  if (!isGood) process.exitCode = EXIT_FAILURE;
}

async function repairStore(flags: FlagValues): Promise<void> {
  const { runStoreRepair } = await import("./store-commands.ts");
  await runStoreRepair(storagePathOf(flags), writeOut);
}

async function querySql(flags: FlagValues, query: SqlCommand): Promise<void> {
  const { runStoreSql } = await import("./store-commands.ts");
  await runStoreSql(storePlaceOf(flags), query, writeOut, (text) => void process.stderr.write(text));
}

async function importHistory(storage: FlagValues, flags: ImportFlags): Promise<void> {
  const { runImport } = await import("./import-command.ts");
  await runImport(storagePathOf(storage), flags, writeOut);
}

function storePlaceOf(flags: FlagValues): StorePlace {
  return resolveStorePlace({ flags, environment: process.env, readFile: readText });
}

function storagePathOf(flags: FlagValues): string {
  return resolve(resolveConfig({ flags, environment: process.env, readFile: readText }).storagePath);
}

function readText(path: string): string {
  return readFileSync(path, "utf8");
}

function writeOut(text: string): void {
  process.stdout.write(text);
}

/** The first signal stops the server, the second ends it at once: what was acknowledged is in the log. */
function handleSignals(receiver: Receiver): void {
  let isStopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isStopping) endBy(signal);
    else begin(signal);
  };
  const begin = (signal: NodeJS.Signals): void => {
    isStopping = true;
    receiver.log.info({ signal }, "stopping");
    receiver.stop().then(
      () => {
        receiver.log.info("stopped");
        process.exit(0);
      },
      (error: unknown) => {
        receiver.log.error(
          { err: error },
          "stopping failed; what was acknowledged is replayed at the next start",
        );
        process.exit(EXIT_FAILURE);
      },
    );
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
}

/**
 * Ends the process as the signal would have without us. Not by `process.exit`: that ends the storage thread first, and
 * DuckDB may be at work there.
 */
function endBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** After a defect nobody knows what state the process is in: it ends, and the next start replays what was acknowledged. */
function handleFailures({ log, failed }: Receiver): void {
  const die = (error: unknown, message: string): void => {
    log.fatal({ err: error }, message);
    process.exit(EXIT_FAILURE);
  };
  process.on("uncaughtException", (error) => die(error, "an error that nothing caught"));
  process.on("unhandledRejection", (error) => die(error, "a rejection that nothing caught"));
  void failed.then((error) => die(error, "the receiver cannot go on"));
}

function exitWith(error: unknown): never {
  const isOurs = error instanceof ReceiverError && error.code !== "INTERNAL";
  const text = isOurs
    ? error.message
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error);
  process.stderr.write(`pyroscope: ${text}\n`);
  process.exit(error instanceof ReceiverError && error.code === "CONFIG_INVALID" ? EXIT_USAGE : EXIT_FAILURE);
}
