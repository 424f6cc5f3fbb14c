import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../e2e/harness/free-port.ts";
import { type ReceiverProcess, startReadyReceiver } from "../e2e/harness/receiver-process.ts";
import { allNodes, type ProgramResult, type RunningProgram, runProgram } from "../e2e/harness/run-program.ts";
import { findFunction, readLabelValues } from "./harness/find-function.ts";
import { buildProgram, installProgram, packSdk, SHOP_FILE } from "./harness/prepare-program.ts";
import { type ServerProgram, serverPrograms } from "./harness/server-programs.ts";

// Of installing and building one program.
const PREPARE_MS = 600_000;
const RUN_MS = 120_000;

let directory: string;
let archives: Readonly<Record<string, string>>;
let receiver: ReceiverProcess;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "frameworks-"));
  archives = packSdk(join(directory, "archives"));
  receiver = await startReadyReceiver({ directory: join(directory, "data") });
}, PREPARE_MS);

afterAll(async () => {
  await receiver?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Where a function of `shop.ts` begins. */
function lineOf(name: string): number {
  const source = readFileSync(SHOP_FILE, "utf8");
  return source.split("\n").findIndex((line) => line.includes(`function ${name}(`)) + 1;
}

function createEnvironment(run: string, isProfiled: boolean, isAlone = false): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "",
    HOME: join(directory, "home"),
    PYROSCOPE_SERVER_ADDRESS: receiver.address,
    PYROSCOPE_LABELS: `run=${run}`,
    PYROSCOPE_UPLOAD_RATE: isAlone ? "1h" : "1s",
    // Says so where the file of its child process was not copied.
    PYROSCOPE_HEAP_LIMIT_PROFILE: String(!isAlone),
    // Machines with much other work.
    PYROSCOPE_EXIT_TIMEOUT: "30s",
    PYROSCOPE_ENABLED: String(isProfiled),
  };
}

async function waitForAnswer(url: string, program: RunningProgram): Promise<void> {
  let ended: ProgramResult | undefined;
  void program.result.then((result) => {
    ended = result;
  });
  for (;;) {
    if (ended !== undefined) throw new Error(`ended before it listened: ${JSON.stringify(ended)}`);
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    await sleep(50);
  }
}

/** Asks until `isSeen`, and then ends the program as a container does. */
async function serve(
  node: string,
  folder: string,
  program: ServerProgram,
  { run, isProfiled, isSeen }: { run: string; isProfiled: boolean; isSeen: () => Promise<boolean> },
): Promise<ProgramResult> {
  const port = await freePort();
  const env = {
    ...createEnvironment(run, isProfiled, program.isAlone),
    PORT: String(port),
    PM2_HOME: join(directory, `pm2-${run}`),
  };
  const running = runProgram(node, program.args, { ...env, ...program.env }, "ignore", folder);
  const url = `http://127.0.0.1:${port}`;
  try {
    await waitForAnswer(`${url}/price`, running);
    do for (let i = 0; i < 10; i++) expect((await fetch(`${url}/price`)).status).toBe(200);
    while (!(await isSeen()));
    expect(await (await fetch(`${url}/last`)).json()).toMatchObject({ total: expect.any(Number) });
    running.process.kill("SIGTERM");
    return await running.result;
  } finally {
    running.process.kill("SIGKILL");
  }
}

const folders = new Map<string, string>();

function prepare(name: string, isBuiltPerLine = false): string {
  const folder = installProgram(name, directory, archives);
  if (!isBuiltPerLine) buildProgram(folder, process.execPath);
  return folder;
}

/** What was built, moved to where nothing else is; the folder in which it was built is gone afterwards. */
function leaveAlone(folder: string): string {
  const alone = `${folder}-alone`;
  if (existsSync(folder)) {
    mkdirSync(alone);
    renameSync(join(folder, "dist"), join(alone, "dist"));
    rmSync(folder, { recursive: true });
  }
  return alone;
}

describe.for(serverPrograms)("$title", (program) => {
  let folder: string;

  beforeAll(() => {
    folder = folders.get(program.folder) ?? prepare(program.folder, program.isBuiltPerLine);
    folders.set(program.folder, folder);
    if (program.isAlone) folder = leaveAlone(folder);
  }, PREPARE_MS);

  it.for(allNodes)(
    "shows its functions where its sources have them, and ends as without the SDK: Node $major",
    {
      timeout: PREPARE_MS,
    },
    async ({ major, path }) => {
      const run = `${serverPrograms.indexOf(program)}-${major}-${Date.now()}`;
      const { isAlone = false, label } = program;

      if (program.isBuiltPerLine) buildProgram(folder, path);
      const without = await serve(path, folder, program, {
        run: "none",
        isProfiled: false,
        isSeen: async () => true,
      });
      const ended = await serve(path, folder, program, {
        run,
        isProfiled: true,
        async isSeen() {
          if (label !== undefined) {
            const values = await readLabelValues(receiver.address, run, label[0]);
            if (!label[1].every((value) => values.includes(value))) return false;
          }
          return isAlone || (await findFunction(receiver.address, run, "priceCart")) !== undefined;
        },
      });

      expect([ended.code, ended.signal]).toEqual([without.code, without.signal]);
      const said = ended.stderr.split("\n").filter((line) => line.includes("pyroscope"));
      expect(said).toEqual(
        isAlone ? [expect.stringMatching(/inspector.*@pyroscope-ts\/sdk-node external$/)] : [],
      );
      // Without its threads, the SDK reads the maps of the last window only, which there is the only one.
      for (const name of ["priceCart", "closeShop"]) {
        expect(await findFunction(receiver.address, run, name)).toMatchObject({
          file: expect.stringMatching(/(^|\/)shop\.ts$/),
          line: lineOf(name),
        });
      }
    },
  );
});

/** What a function in the cloud asks for its work: events go out, answers come in. */
async function startRuntimeApi() {
  let pending: ServerResponse | undefined;
  let asked = () => {};
  let answered: (body: string) => void = () => {};
  let nextId = 0;
  const server = createServer((request, response) => {
    if (request.url?.endsWith("/next")) {
      pending = response;
      asked();
      return;
    }
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk;
    });
    request.on("end", () => {
      response.writeHead(202).end();
      answered(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Gives an event to the function when it asks, and resolves with its answer. */
    async invoke(event: object): Promise<unknown> {
      while (pending === undefined) {
        await new Promise<void>((resolve) => {
          asked = resolve;
        });
      }
      const answer = new Promise<string>((resolve) => {
        answered = resolve;
      });
      pending
        .writeHead(200, { "lambda-runtime-aws-request-id": String(nextId++) })
        .end(JSON.stringify(event));
      pending = undefined;
      return JSON.parse(await answer);
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe("a function that is frozen between its calls", () => {
  let folder: string;

  beforeAll(() => {
    folder = prepare("lambda");
  }, PREPARE_MS);

  it.for(allNodes)(
    "has sent what each call did before it answers: Node $major",
    { timeout: RUN_MS },
    async ({ major, path }) => {
      const run = `function-${major}-${Date.now()}`;
      const api = await startRuntimeApi();
      const env = {
        ...createEnvironment(run, true),
        AWS_LAMBDA_RUNTIME_API: api.address,
        PYROSCOPE_UPLOAD_RATE: "1h",
      };
      const program = runProgram(path, ["runtime.cjs"], env, "ignore", folder);
      try {
        const times: number[] = [];
        for (let call = 0; call < 3; call++) {
          expect(await api.invoke({ path: "/last" })).toMatchObject({ total: expect.any(Number) });
          program.process.kill("SIGSTOP");
          const seen = await findFunction(receiver.address, run, "closeShop");
          expect(seen).toMatchObject({
            file: expect.stringMatching(/(^|\/)shop\.ts$/),
            line: lineOf("closeShop"),
          });
          times.push(seen?.nanos ?? 0);
          program.process.kill("SIGCONT");
        }

        expect(times.toSorted((a, b) => a - b)).toEqual(times);
        expect(new Set(times).size).toBe(3);
        program.process.kill("SIGTERM");
        expect(await program.result).toMatchObject({ signal: "SIGTERM", stderr: "" });
      } finally {
        program.process.kill("SIGKILL");
        api.close();
      }
    },
  );
});
