import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { decodePprof, totalValues } from "@pyroscope-ts/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createReceiverClient } from "./harness/client.ts";
import { profileTypes, withReceiver } from "./harness/fake-receiver.ts";
import { makeDataDirectory, type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

const program = fixturePath("sdk-delivery.mjs");
const RANGE = { from: "now-1h", until: "now+1h" };

// A function that is inlined into its caller has no frame of its own in heap profiles.
const NO_INLINING = ["--max-inlined-bytecode-size=0", "--max-inlined-bytecode-size-small=0", "--no-maglev"];

let receiver: ReceiverProcess;
let directory: Awaited<ReturnType<typeof makeDataDirectory>>;

beforeAll(async () => {
  directory = await makeDataDirectory();
  receiver = await startReadyReceiver({
    directory: join(directory.path, "data"),
    flags: ["--limits-preset=pyroscope"],
  });
}, 60_000);

afterAll(async () => {
  await receiver?.stop();
  await directory.remove();
});

/** The profiles of a directory, by the type that stands in the names of their files. */
function readFiles(path: string) {
  return readdirSync(path).map((name) => ({
    name,
    type: name.split("-").at(-2) ?? "",
    profile: decodePprof(gunzipSync(readFileSync(join(path, name)))),
  }));
}

function sumOf(files: ReturnType<typeof readFiles>, type: string): bigint {
  return files
    .filter((file) => file.type === type)
    .reduce((sum, { profile }) => sum + (totalValues(profile)[0] ?? 0n), 0n);
}

describe("a window that is larger than a default server takes", () => {
  it("arrives whole, in parts of which none is refused", async () => {
    const path = join(directory.path, "many");
    const { code, stdout } = await runProgram(process.execPath, [...NO_INLINING, program, "many-stacks"], {
      PYROSCOPE_APPLICATION_NAME: "many",
      PYROSCOPE_SERVER_ADDRESS: receiver.address,
      PYROSCOPE_EXPORTERS: "pyroscope,file",
      PYROSCOPE_EXPORT_DIRECTORY: path,
      PYROSCOPE_HEAP_SAMPLING_INTERVAL_BYTES: "4k",
      PYROSCOPE_LABELS: Array.from({ length: 40 }, (_, i) => `tag${i}=${"x".repeat(3000)}`).join(","),
    }).result;

    expect(code).toBe(0);
    const { ok, exporters } = JSON.parse(stdout);
    expect(ok).toBe(true);
    const [{ sentCount, ...counts }] = exporters;
    expect(counts).toMatchObject({ name: "pyroscope", retryCount: 0, rejectedCount: 0, droppedCount: 0 });
    expect(sentCount).toBeGreaterThan(1);
    const files = readFiles(path);
    const parts = files.filter(({ type }) => type === "inuse_space");
    expect(parts.reduce((sum, { profile }) => sum + profile.samples.length, 0)).toBeGreaterThan(16_000);
    expect(Math.max(...parts.map(({ profile }) => profile.samples.length))).toBeLessThanOrEqual(16_000);
    const client = createReceiverClient(receiver.address);
    for (const type of ["inuse_space", "inuse_objects"]) {
      const unit = type === "inuse_space" ? "bytes" : "count";
      const query = `memory:${type}:${unit}:space:bytes{service_name="many"}`;
      expect(await client.renderTotal(query, RANGE)).toBe(sumOf(files, type));
    }
  }, 120_000);
});

describe.for(allNodes)("several exporters on Node $major", ({ major, path: node }) => {
  it("take the same profiles, over OTLP with exact totals too", async () => {
    const path = join(directory.path, `files-${major}`);
    const service = `several${major}`;
    const { code, stdout, stderr } = await runProgram(node, [program, "work"], {
      OTEL_SERVICE_NAME: service,
      OTEL_RESOURCE_ATTRIBUTES: "zone=b%2C1",
      OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.address}/`,
      PYROSCOPE_SERVER_ADDRESS: receiver.address,
      PYROSCOPE_EXPORTERS: "pyroscope,otlp,file",
      PYROSCOPE_EXPORT_DIRECTORY: path,
    }).result;

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { exporters } = JSON.parse(stdout);
    expect(exporters).toMatchObject(
      ["pyroscope", "otlp", "file"].map((name) => ({ name, sentCount: 1, rejectedCount: 0, retryCount: 0 })),
    );
    const files = readFiles(path);
    // A short program may have no live object that was sampled.
    expect(files.map(({ type }) => type)).toEqual(expect.arrayContaining(["cpu", "inuse_space", "wall"]));
    const client = createReceiverClient(receiver.address);
    const totalOf = (type: string) => client.renderTotal(`${type}{service_name="${service}"}`, RANGE);
    const cpu = sumOf(files, "cpu");
    expect(cpu).toBeGreaterThan(0n);
    expect(await totalOf("process_cpu:cpu:nanoseconds:cpu:nanoseconds")).toBe(cpu);
    expect(await totalOf("cpu:cpu:nanoseconds:cpu:nanoseconds")).toBe(cpu);
    // Here both name it alike: what is pushed and what comes over OTLP are two series of one type.
    expect(await totalOf("wall:wall:nanoseconds:wall:nanoseconds")).toBe(2n * sumOf(files, "wall"));
    const routed = `cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="${service}",route="/a",zone="b,1"}`;
    const pushed = `process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="${service}",route="/a"}`;
    expect(await client.renderTotal(routed, RANGE)).toBe(await client.renderTotal(pushed, RANGE));
    expect(await client.renderTotal(pushed, RANGE)).toBeGreaterThan(0n);
  });
});

describe("the exporter file", () => {
  const go = ["/usr/local/go/bin/go", "/usr/bin/go"].find((each) => {
    try {
      execFileSync(each, ["version"], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  });

  it.skipIf(go === undefined)("writes what go tool pprof reads", async () => {
    const path = join(directory.path, "go");
    await runProgram(process.execPath, [program, "work"], {
      PYROSCOPE_APPLICATION_NAME: "go",
      PYROSCOPE_EXPORTERS: "file",
      PYROSCOPE_EXPORT_DIRECTORY: path,
    }).result;

    const cpu = readdirSync(path).find((name) => name.includes("-cpu-")) ?? "";
    const top = execFileSync(go ?? "", ["tool", "pprof", "-top", join(path, cpu)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    expect(top).toMatch(/Type: cpu/);
    expect(top).toMatch(/burn/);
  });
});

describe("an exporter of the program's own", () => {
  it("gets every window, the last one too, beside the server", async () => {
    await withReceiver(async (server) => {
      const { code, stdout } = await runProgram(process.execPath, [program, "own-exporter"], {
        PYROSCOPE_APPLICATION_NAME: "own",
        PYROSCOPE_SERVER_ADDRESS: server.url,
        PYROSCOPE_PROFILE_TYPES: "cpu,wall",
      }).result;

      expect(code).toBe(3);
      expect(
        stdout
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line)),
      ).toEqual([
        { uploads: [["cpu", "wall"]], exporters: ["pyroscope 1", "own 1"] },
        { atExit: ["cpu", "wall"] },
      ]);
      const pair = ["process_cpu:cpu", "wall:wall"];
      expect(profileTypes(server.profiles())).toEqual([...pair, ...pair].sort());
    });
  });
});
