import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { installPackedSdk, linkPackages } from "../harness/packed-sdk.ts";
import { fixturePath, runProgram } from "../harness/run-program.ts";
import { type Cell, findNode, hostFaults, serverFaults } from "./cases.ts";

/** What all cells share: servers that misbehave, and the bundle. */
export interface MatrixHost {
  /** Runs the program of a cell; what is wrong with how it ended, or undefined. */
  readonly run: (cell: Cell) => Promise<string | undefined>;
  readonly close: () => Promise<void>;
}

const WORK_COUNT = 8;
const EXIT_CODE = 7;
// What the SDK may hold a program at its end is 300 ms, here for two runs one after the other; the rest is a slow machine.
const LONGEST_MS = 40_000;

const NO_FAULT = "the fault did not happen";
const MAX_TRIES = 5;

// What the applications need beside the SDK.
const FRAMEWORKS = ["express", "fastify", "koa"];

/**
 * Opens the servers, and puts the applications beside the SDK as it is packed, which takes half the time of its `dist` to
 * begin; one of them bundled with all of its dependencies but web frameworks.
 */
export async function openMatrixHost(longestMs: number = LONGEST_MS): Promise<MatrixHost> {
  const directory = await mkdtemp(join(tmpdir(), "host-matrix-"));
  const servers = new Map(
    await Promise.all(serverFaults.map(async ({ name, open }) => [name, await open()] as const)),
  );
  await installPackedSdk(directory);
  await linkPackages(directory, fileURLToPath(new URL("../node_modules", import.meta.url)), FRAMEWORKS);
  await cp(fixturePath("host"), directory, { recursive: true });
  await build({
    configFile: false,
    logLevel: "error",
    root: directory,
    ssr: { noExternal: true, external: FRAMEWORKS },
    build: { ssr: join(directory, "app.mjs"), outDir: join(directory, "bundled"), emptyOutDir: true },
  });
  return {
    async run(cell) {
      const url = servers.get(cell.server)?.url;
      if (url === undefined) throw new Error(`no server ${cell.server}`);
      for (let tries = 1; ; tries++) {
        const problem = await runCell(cell, url, directory, longestMs);
        // Nothing is shown then, for or against: on a machine with much other work a program may end before its fault.
        if (!problem?.startsWith(NO_FAULT) || tries === MAX_TRIES) return problem;
      }
    },
    async close() {
      await Promise.all([...servers.values()].map((server) => server.close()));
      await rm(directory, { recursive: true });
    },
  };
}

async function runCell(
  cell: Cell,
  url: string,
  directory: string,
  longestMs: number,
): Promise<string | undefined> {
  const { fault, kind, node } = cell;
  const programs: Readonly<Record<string, string>> = { bundled: "bundled/app.mjs", cjs: "app.cjs" };
  const program = join(directory, programs[kind] ?? "app.mjs");
  const env = {
    HOST_FAULT: fault,
    HOST_KIND: kind === "bundled" ? "http" : kind,
    HOST_SERVER: url,
  };
  const flags = ["--require", join(directory, "fault.cjs")];
  const running = runProgram(findNode(node), [...flags, program], env, "ignore", directory);
  const timer = setTimeout(() => running.process.kill("SIGKILL"), longestMs);
  const { code, signal, stdout, stderr } = await running.result;
  clearTimeout(timer);
  const { isSaid = false, isOfThread = false } = hostFaults.find(({ id }) => id === fault) ?? {};
  const isExpected = isSaid && !(isOfThread && kind === "bundled");
  const state = fault === "without-sdk" ? "off" : "running";
  const reports = stdout.split("\n").filter((line) => line.startsWith("{"));
  const problems = [
    code === EXIT_CODE && signal === null ? "" : `ended with code ${code}, signal ${signal}`,
    reports.length > 0 ? "" : "reported nothing",
    ...reports
      .filter((line) => line !== JSON.stringify({ done: WORK_COUNT, state }))
      .map((line) => `reported ${line}`),
    isExpected && !stderr.includes(`fault: ${fault}`) ? NO_FAULT : "",
  ].filter((problem) => problem !== "");
  return problems.length === 0 ? undefined : `${problems.join("; ")}\n${stderr}`;
}
