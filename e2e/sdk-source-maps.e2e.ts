import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ReadSample, readSamples, withReceiver } from "./harness/fake-receiver.ts";
import { allNodes, runProgram } from "./harness/run-program.ts";

const sdkUrl = new URL("../packages/sdk-node/dist/index.js", import.meta.url).href;

let directory: string;

/** Numbers as source maps have them: base 64 digits of 5 bits, the lowest first, with the sign in the lowest bit. */
function encodeVlq(numbers: readonly number[]): string {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return numbers
    .map((number) => {
      let rest = number < 0 ? (-number << 1) | 1 : number << 1;
      let text = "";
      do {
        const digit = rest & 31;
        rest >>= 5;
        text += digits[rest > 0 ? digit | 32 : digit];
      } while (rest > 0);
      return text;
    })
    .join("");
}

type Piece = readonly [piece: string, sourceLine: number, name: number];

/** A map of one line of code with a segment at each piece, all in column 0 of their source line. */
function createMap(code: string, source: string, names: readonly string[], pieces: readonly Piece[]) {
  let [column, line, name] = [0, 0, 0];
  const segments = pieces.map(([piece, sourceLine, nameIndex]) => {
    const at = code.indexOf(piece);
    const segment = encodeVlq([at - column, 0, sourceLine - 1 - line, 0, nameIndex - name]);
    [column, line, name] = [at, sourceLine - 1, nameIndex];
    return segment;
  });
  return { version: 3, sources: [source], names, mappings: segments.join(",") };
}

const work =
  "{let t=0;const s=process.cpuUsage();while(process.cpuUsage(s).user<b*1e3)for(let i=0;i<2e4;i++)t+=Math.sqrt(i);return t}";
const declared = `export function a(b)${work}export function k(){return Array.from({length:3e5},(_,i)=>({i}))}`;
const arrow = `export const c=b=>${work}`;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "source-maps-"));
  await mkdir(join(directory, "dist"));
  const write = (name: string, text: string) => writeFile(join(directory, "dist", name), text);
  const external = createMap(
    declared,
    "../src/cart.ts",
    ["priceCart", "loadCart"],
    [
      ["a(b)", 12, 0],
      ["k()", 30, 1],
    ],
  );
  await write("external.mjs", `${declared}\n//# sourceMappingURL=external.mjs.map\n`);
  await write("external.mjs.map", JSON.stringify(external));
  const inlined = createMap(
    arrow,
    "../src/tax.ts",
    ["computeTax", "percent"],
    [
      ["c=", 7, 0],
      ["b=>", 7, 1],
    ],
  );
  const data = Buffer.from(JSON.stringify(inlined)).toString("base64");
  await write("inlined.mjs", `${arrow}\n//# sourceMappingURL=data:application/json;base64,${data}\n`);
  const sections = [{ offset: { line: 1, column: 0 }, map: { ...inlined, sources: ["../src/late.ts"] } }];
  await write("indexed.mjs", `//\n${arrow}\n//# sourceMappingURL=indexed.map\n`);
  await write("indexed.map", JSON.stringify({ version: 3, sections }));
  await write("missing.mjs", `${arrow}\n//# sourceMappingURL=missing.map\n`);
  await write(
    "main.mjs",
    `import { start, status, stop } from ${JSON.stringify(sdkUrl)};
     import { a, k } from "./external.mjs";
     import { c as inlined } from "./inlined.mjs";
     import { c as indexed } from "./indexed.mjs";
     import { c as missing } from "./missing.mjs";
     const [serverAddress, ending] = process.argv.slice(2);
     start({ applicationName: "mapped", serverAddress, uploadRate: "1h", exitTimeout: "1m" });
     globalThis.kept = k();
     for (const burn of [a, inlined, indexed, missing]) burn(200);
     if (ending === "exit") process.exit(0);
     if (ending === "stop") {
       await stop({ timeoutMs: 60_000 });
       console.log(JSON.stringify(status().sourceMaps));
     }`,
  );
});

afterAll(() => rm(directory, { recursive: true }));

/** The functions on the stacks of a profile, as `name file`, with files from the directory on. */
function functionsOf(samples: readonly ReadSample[]): Set<string> {
  const frames = samples.flatMap((sample) => sample.frames);
  return new Set(frames.map(({ name, file, line }) => `${name} ${file.replace(directory, "")}:${line}`));
}

async function run(node: string, ending: "stop" | "end" | "exit") {
  return withReceiver(async (receiver) => {
    const args = [join(directory, "dist", "main.mjs"), receiver.url, ending];
    const { code, stdout, stderr } = await runProgram(node, args).result;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const functions = (name: string) =>
      functionsOf(
        receiver
          .profiles()
          .filter(({ labels }) => labels.__name__ === name)
          .flatMap(({ profile }) => readSamples(profile)),
      );
    return { stdout, functions };
  });
}

describe.for(allNodes)("source maps on Node $major", ({ path }) => {
  it("give functions their names, files and lines: external, inlined and with sections", async () => {
    const { stdout, functions } = await run(path, "stop");

    for (const name of ["process_cpu", "wall"]) {
      expect([...functions(name)]).toEqual(
        expect.arrayContaining([
          "priceCart /src/cart.ts:12",
          "computeTax /src/tax.ts:7",
          "computeTax /src/late.ts:7",
          "c /dist/missing.mjs:1",
        ]),
      );
    }
    expect([...functions("memory")]).toContain("loadCart /src/cart.ts:30");
    expect(JSON.parse(stdout)).toMatchObject({ missingCount: 1 });
  });

  it.for([
    ["ends by itself", "end"],
    ["calls process.exit()", "exit"],
  ] as const)("are read for the last profile of a program that %s", async ([, ending]) => {
    const { functions } = await run(path, ending);

    expect([...functions("wall")]).toContain("priceCart /src/cart.ts:12");
    expect([...functions("memory")]).toContain("loadCart /src/cart.ts:30");
  });
});
