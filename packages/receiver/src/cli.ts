import { Command, Option } from "commander";
import { type SettingRow, settingRows } from "./config.ts";
import type { ImportFlags } from "./import-command.ts";
import { LEVELS, type Level } from "./store/level.ts";

/** Values of flags by their names, as {@link resolveConfig} takes them. */
export type FlagValues = Readonly<Record<string, string | undefined>>;

const STORAGE_PATH = "storage-path";
/** Settings of a bucket that are about a server that runs. */
const SERVER_ONLY: readonly string[] = ["target", "storage.local-limit-mb"];
/** What names the place of blocks: a data directory, or a bucket and its catalog. */
const placeRows: readonly SettingRow[] = settingRows.filter(
  ({ flag, group }) => flag === STORAGE_PATH || (group === "Object storage" && !SERVER_ONLY.includes(flag)),
);

/** What the command line can start. */
export interface CliActions {
  /** `pyroscope server`. */
  startServer(flags: FlagValues): Promise<void>;
  /** `pyroscope store verify`. */
  verifyStore(flags: FlagValues): Promise<void>;
  /** `pyroscope store repair`. */
  repairStore(flags: FlagValues): Promise<void>;
  /** `pyroscope store sql`. */
  querySql(flags: FlagValues, query: SqlCommand): Promise<void>;
  /** `pyroscope admin app delete`. */
  deleteApplication(name: string, server: AdminServer): Promise<void>;
  /** `pyroscope import`. */
  importHistory(storage: FlagValues, flags: ImportFlags): Promise<void>;
  readonly version: string;
}

/** Words of `--format`. */
const SQL_FORMATS = ["table", "csv", "json"] as const;

/** What `pyroscope store sql` is asked. */
export interface SqlCommand {
  readonly sql: string;
  readonly tenant: string;
  readonly level: Level;
  readonly format: (typeof SQL_FORMATS)[number];
}

/** The running receiver that a command talks to. */
export interface AdminServer {
  readonly url: string;
  /** As it is given: a token, or `@FILE`; undefined: none. */
  readonly token: string | undefined;
  /** `X-Scope-OrgID`; undefined: none. */
  readonly tenant: string | undefined;
}

/** The command line of `pyroscope`. Flags and their help are those of the settings table. */
export function createCli(actions: CliActions): Command {
  const { startServer, version } = actions;
  const cli = new Command("pyroscope")
    .description("Receives, keeps and shows continuous profiles.")
    .version(version)
    .showHelpAfterError("(--help lists what there is)");
  const server = cli
    .command("server")
    .description("Runs the receiver: one process, one data directory.")
    .addHelpText(
      "after",
      "\nEach flag is also an environment variable: --storage-path is PYROSCOPE_STORAGE_PATH.",
    )
    .allowExcessArguments(false);
  for (const row of settingRows) server.addOption(toOption(row));
  server.action(async (values: OptionValues) => {
    await startServer(flagsOf(settingRows, values));
  });
  addStoreCommands(cli, actions);
  addAdminCommands(cli, actions);
  addImportCommand(cli, actions);
  return cli;
}

function addImportCommand(cli: Command, { importHistory }: CliActions): void {
  const command = cli
    .command("import")
    .description(
      "Copies the history of another Pyroscope server into a data directory, on which no receiver may run. " +
        "Run it again to go on where it stopped: what is there counts once.",
    )
    .requiredOption("--from <url>", "Address of the server, such as http://pyroscope:4040.")
    .option("--since <duration>", "How far back.", "30d")
    .option("--step <duration>", "What the profiles of a series are summed up over; divides a day.", "1h")
    .option("--from-tenant <tenant>", "Tenant whose history it is, on a server with several.")
    .addOption(
      new Option("--from-token <token>", "Token of the server; with --from-user the password.").env(
        "PYROSCOPE_FROM_TOKEN",
      ),
    )
    .option("--from-user <user>", "User of the server, where it wants a password.")
    .option("--tenant <tenant>", "Tenant that gets the history.", "anonymous")
    .allowExcessArguments(false);
  addStorageOption(command);
  command.action(async ({ storagePath, ...flags }: ImportFlags & { readonly storagePath?: string }) => {
    await importHistory({ [STORAGE_PATH]: storagePath }, flags);
  });
}

/** The option that names a data directory, as the server has it. */
function addStorageOption(command: Command): void {
  const row = settingRows.find(({ flag }) => flag === STORAGE_PATH);
  if (row !== undefined) command.addOption(toOption(row));
}

function addStoreCommands(cli: Command, { verifyStore, repairStore, querySql }: CliActions): void {
  const store = cli.command("store").description("Looks after a data directory or a bucket.");
  const add = (
    name: string,
    description: string,
    rows: readonly SettingRow[],
    act: CliActions["verifyStore"],
  ): void => {
    const command = store.command(name).description(description).allowExcessArguments(false);
    for (const row of rows) command.addOption(toOption(row));
    command.action(async (values: OptionValues) => {
      await act(flagsOf(rows, values));
    });
  };
  add(
    "verify",
    "Lists every damaged file of every block, in the bucket where the settings name one; exits with 1 when there is one. " +
      "Receivers may run. A bucket is read as a whole.",
    placeRows,
    verifyStore,
  );
  add(
    "repair",
    "Moves damaged blocks into the directory quarantine. No receiver may run on the directory.",
    placeRows.filter(({ flag }) => flag === STORAGE_PATH),
    repairStore,
  );
  const sql = store
    .command("sql")
    .argument("<query>", "SQL of DuckDB over profiles, totals, series, stacks, frames and samples")
    .description(
      "Asks the blocks of a data directory, or of the bucket where the settings name one; they are only read. Receivers may " +
        "run. Of a bucket, the files of the tables that the query names are copied to a temporary directory.",
    )
    .addOption(new Option("--format <format>", "how to print").choices(SQL_FORMATS).default("table"))
    .option("--tenant <tenant>", "whose blocks", "anonymous")
    .addOption(new Option("--level <level>", "the coarsest level to read").choices(LEVELS).default("raw"))
    .allowExcessArguments(false);
  for (const row of placeRows) sql.addOption(toOption(row));
  sql.action(async (query: string, options: Omit<SqlCommand, "sql"> & OptionValues) => {
    const { tenant, level, format } = options;
    await querySql(flagsOf(placeRows, options), { sql: query, tenant, level, format });
  });
}

function addAdminCommands(cli: Command, { deleteApplication }: CliActions): void {
  const admin = cli.command("admin").description("Asks a running receiver to do something.");
  admin
    .command("app")
    .description("Applications: what pushes under one service_name.")
    .command("delete")
    .argument("<name>", "service_name of the application")
    .description(
      "Deletes every profile of an application. Queries have none at once, files after the next compaction.",
    )
    .option("--url <url>", "the receiver", "http://127.0.0.1:4040")
    .option("--token <token>", "a token of the role admin; @FILE reads it from a file")
    .option("--tenant <tenant>", "the tenant, where there are several")
    .allowExcessArguments(false)
    .action(async (name: string, { url, token, tenant }: AdminServer) => {
      await deleteApplication(name, { url, token, tenant });
    });
}

/** What commander made of options, by their names in camel case. */
type OptionValues = Readonly<Record<string, string | true | undefined>>;

function flagsOf(rows: readonly SettingRow[], values: OptionValues): FlagValues {
  const flags = rows.map((row) => {
    const value = values[toOption(row).attributeName()];
    // A toggle that was named without a value.
    return [row.flag, value === true ? "true" : value] as const;
  });
  return Object.fromEntries(flags);
}

function toOption({ flag, placeholder, help, defaultText }: SettingRow): Option {
  const value = placeholder === undefined ? "[true|false]" : `<${placeholder}>`;
  const suffix = defaultText === "" ? "" : ` (default: ${defaultText})`;
  return new Option(`--${flag} ${value}`, `${help}${suffix}`);
}
