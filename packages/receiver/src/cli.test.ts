import { type Command, CommanderError } from "commander";
import { describe, expect, it } from "vitest";
import { createCli, type FlagValues } from "./cli.ts";
import { settingRows } from "./config.ts";

interface CliResult {
  readonly started: readonly FlagValues[];
  readonly output: string;
  readonly exitCode: number;
}

async function run(...args: readonly string[]): Promise<CliResult> {
  const started: FlagValues[] = [];
  let output = "";
  const cli = createCli({
    version: "1.2.3",
    startServer: async (flags) => {
      started.push(Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)));
    },
    verifyStore: async (flags) => {
      started.push({ verify: "", ...flags });
    },
    querySql: async (flags, query) => {
      started.push({ ...flags, ...query });
    },
    deleteApplication: async (name, server) => {
      started.push({ delete: name, ...server });
    },
    importHistory: async (storage, flags) => {
      const flagTexts = Object.entries(flags).map(([name, value]) => [name, String(value)]);
      started.push({ import: "", ...storage, ...Object.fromEntries(flagTexts) });
    },
    repairStore: async (flags) => {
      started.push({ repair: "", ...flags });
    },
  });
  const write = (text: string): void => {
    output += text;
  };
  const silence = (command: Command): void => {
    command.exitOverride().configureOutput({ writeOut: write, writeErr: write });
    for (const sub of command.commands) silence(sub);
  };
  silence(cli);
  try {
    await cli.parseAsync(["node", "pyroscope", ...args]);
    return { started, output, exitCode: 0 };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { started, output, exitCode: error.exitCode };
  }
}

describe("createCli", () => {
  it("takes a query over the blocks, and a deletion", async () => {
    expect((await run("store", "sql", "select 1", "--storage-path", "/d")).started).toEqual([
      { "storage-path": "/d", sql: "select 1", tenant: "anonymous", level: "raw", format: "table" },
    ]);
    expect((await run("store", "sql", "select 1", "--level", "2h")).output).toContain(
      "Allowed choices are raw",
    );
    expect((await run("admin", "app", "delete", "shop", "--token", "@/t")).started).toEqual([
      { delete: "shop", url: "http://127.0.0.1:4040", token: "@/t", tenant: undefined },
    ]);
  });

  it("passes flags on by their names, and only those that were given", async () => {
    const { started } = await run(
      "server",
      "--storage-path",
      "/d",
      "--auth.multitenancy-enabled",
      "--retention=1d",
    );

    expect(started).toEqual([{ "storage-path": "/d", "auth.multitenancy-enabled": "true", retention: "1d" }]);
  });

  it.for(["verify", "repair"])("takes store %s with the data directory", async (name) => {
    const given = await run("store", name, "--storage-path", "/d");
    const absent = await run("store", name);

    expect(given.started).toEqual([{ [name]: "", "storage-path": "/d" }]);
    expect(absent.started).toEqual([{ [name]: "", "storage-path": undefined }]);
  });

  it.for([["verify"], ["sql", "select 1"]] as const)("takes store %s with a bucket", async (args) => {
    const flags = ["--storage.backend", "s3", "--storage.s3.bucket-name=b", "--storage.s3.force-path-style"];

    const { started } = await run("store", ...args, ...flags, "--catalog.postgres-url", "@/url");

    expect(started).toMatchObject([
      {
        "storage.backend": "s3",
        "storage.s3.bucket-name": "b",
        "storage.s3.force-path-style": "true",
        "catalog.postgres-url": "@/url",
      },
    ]);
    expect((await run("store", ...args, "--target", "read")).output).toContain("unknown option '--target'");
  });

  it("takes toggles with and without a value", async () => {
    const { started } = await run("server", "--insecure", "--disable-label-sanitization", "false");

    expect(started).toEqual([{ insecure: "true", "disable-label-sanitization": "false" }]);
  });

  it("has every setting in its help", async () => {
    const { output, started, exitCode } = await run("server", "--help");

    expect(settingRows.filter(({ flag }) => !output.includes(`--${flag} `))).toEqual([]);
    expect([exitCode, started]).toEqual([0, []]);
  });

  it("prints help when it is called alone, and its version", async () => {
    const alone = await run();
    const version = await run("--version");

    // Like every command line that lacks its command: help, and not success.
    expect(alone).toEqual({ output: expect.stringContaining("Usage: pyroscope"), started: [], exitCode: 1 });
    expect(version.output).toBe("1.2.3\n");
  });

  it.for([
    [["serve"], "unknown command 'serve'"],
    [["server", "--retentoin", "1d"], "(Did you mean --retention?)"],
    [["server", "extra"], "too many arguments"],
    [["server", "--retention"], "argument missing"],
  ] as const)("refuses %j and says what is wrong", async ([args, text]) => {
    const { output, started, exitCode } = await run(...args);

    expect(output).toContain(text);
    expect([exitCode, started]).toEqual([1, []]);
  });

  it("imports with defaults, and wants to know from where", async () => {
    const { started } = await run("import", "--from", "http://old:4040", "--storage-path", "/d");

    expect(started).toEqual([
      {
        import: "",
        "storage-path": "/d",
        from: "http://old:4040",
        since: "30d",
        step: "1h",
        tenant: "anonymous",
      },
    ]);
    expect((await run("import")).output).toContain("required option '--from <url>' not specified");
  });
});
