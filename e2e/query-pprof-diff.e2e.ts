import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import {
  buildTree,
  decodePprof,
  diffProfiles,
  encodePprof,
  formatCollapsed,
  type Profile,
  profileToStackList,
} from "@pyroscope-ts/protocol";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createReceiverClient, type ReceiverClient } from "./harness/client.ts";
import { type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";

const run = promisify(execFile);
const SECOND = 1_000_000_000n;
const BASE_SECONDS = 1_700_000_000n;
const QUERY = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="shop"}';

// A receiver starts in a second; a machine that runs every other test beside it takes longer.
const START_TIMEOUT_MS = 60_000;

let directory: string;
let receiver: ReceiverProcess;
let client: ReceiverClient;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pyroscope-e2e-"));
  receiver = await startReadyReceiver({
    directory,
    flags: ["--reject-older-than", "0", "--log-level", "error"],
  });
  client = createReceiverClient(receiver.address);
  await push(drawn([30n, 20n, 10n], BASE_SECONDS));
  await push(drawn([30n, 95n, 10n], BASE_SECONDS + 3600n));
}, START_TIMEOUT_MS);

afterAll(async () => {
  await receiver.stop();
  await rm(directory, { recursive: true });
});

/** Three stacks with these values in milliseconds, at a second of its own. */
function drawn(values: readonly bigint[], unixSeconds: bigint): Profile {
  const text = `
    main      main      main
    checkout  checkout  search
    parse     slow
  `;
  return profileFromText(text, {
    sampleTypes: [{ type: "cpu", unit: "nanoseconds" }],
    periodType: { type: "cpu", unit: "nanoseconds" },
    values: values.map((value) => value * 1_000_000n),
    timeUnixNanos: unixSeconds * SECOND,
  });
}

async function push(profile: Profile): Promise<void> {
  const labels = [
    { name: "__name__", value: "process_cpu" },
    { name: "service_name", value: "shop" },
  ];
  await client.pusher().push({ series: [{ labels, samples: [{ rawProfile: encodePprof(profile) }] }] });
}

/** Saves what the recipe of a CI job saves: one range of one query as a file. */
async function download(name: string, from: bigint, to: bigint): Promise<string> {
  const parameters = new URLSearchParams({
    from: String(from),
    to: String(to),
    query: QUERY,
    format: "pprof",
  });
  const response = await fetch(`${receiver.address}/render?${parameters}`);
  expect(response.status).toBe(200);
  const path = join(directory, name);
  await writeFile(path, Buffer.from(await response.arrayBuffer()));
  return path;
}

async function downloadBoth(): Promise<{ readonly base: string; readonly head: string }> {
  return {
    base: await download("base.pb.gz", BASE_SECONDS - 60n, BASE_SECONDS + 60n),
    head: await download("head.pb.gz", BASE_SECONDS + 3540n, BASE_SECONDS + 3660n),
  };
}

async function decodeFile(path: string): Promise<Profile> {
  return decodePprof(gunzipSync(await readFile(path)));
}

function hasGo(): boolean {
  try {
    execFileSync("go", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

// Go builds its pprof on first use, which takes a minute where other tests run beside it.
const GO_TIMEOUT_MS = 300_000;

describe("two pprof downloads of /render", () => {
  it("differ by our own decoder in exactly what was planted", async () => {
    const { base, head } = await downloadBoth();

    const diff = diffProfiles(await decodeFile(base), await decodeFile(head));

    expect(formatCollapsed(buildTree(profileToStackList(diff, 0)))).toBe("main;checkout;slow 75000000\n");
  });

  it.skipIf(!hasGo())(
    "differ by Go's pprof -diff_base in exactly what was planted",
    async () => {
      const { base, head } = await downloadBoth();

      const args = ["tool", "pprof", "-top", "-unit=ms", `-diff_base=${base}`, head];
      const { stdout } = await run("go", args, { env: { ...process.env, PPROF_TMPDIR: directory } });

      const rows = stdout.split("\n").flatMap((line) => {
        const [flat, , , cum, , name] = line.trim().split(/\s+/);
        return name === undefined || !/^-?\d+(\.\d+)?(ms)?$/.test(flat ?? "")
          ? []
          : [`${name} ${flat} ${cum}`];
      });
      expect(stdout).toContain("Type: cpu");
      expect(rows.sort()).toEqual(["checkout 0 75ms", "main 0 75ms", "slow 75ms 75ms"]);
    },
    GO_TIMEOUT_MS,
  );

  it.skipIf(!hasGo())(
    "is read by Go's pprof with every frame, line and total",
    async () => {
      const { base } = await downloadBoth();

      const { stdout } = await run("go", ["tool", "pprof", "-traces", "-unit=ms", base], {
        env: { ...process.env, PPROF_TMPDIR: directory },
      });

      const values = [...stdout.matchAll(/^\s+(\d+)ms\s+(\S+)/gm)].map(
        ([, value, leaf]) => `${leaf} ${value}`,
      );
      expect(values.sort()).toEqual(["parse 30", "search 10", "slow 20"]);
    },
    GO_TIMEOUT_MS,
  );
});
