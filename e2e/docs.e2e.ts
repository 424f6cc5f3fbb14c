import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { routes } from "../packages/receiver/src/http/routes.ts";
import { findingAdvice } from "../packages/receiver/src/ingest/oddity-advice.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** Files of a folder that has sources, without what is installed in it. */
function listFiles(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : listFiles(path);
    return [path];
  });
}

/** The codes of each error class, from the union that declares them: types leave nothing to import. */
function declaredCodes(): Readonly<Record<string, readonly string[]>> {
  const files = readdirSync(join(root, "packages"))
    .map((name) => `packages/${name}/src/errors.ts`)
    .filter((path) => existsSync(join(root, path)));
  // Comments between the members can hold quotes and semicolons.
  const unions = files.flatMap((path) => [
    ...read(path)
      .replace(/\/\*[\s\S]*?\*\//g, "")
      .matchAll(/^export type (\w+Error)Code =([^;]*);/gm),
  ]);
  return Object.fromEntries(
    unions.map(([, name = "", union = ""]) => [
      name,
      Array.from(union.matchAll(/"(\w+)"/g), ([, code = ""]) => code).sort(),
    ]),
  );
}

/** The codes that docs/errors.md has a heading for, by class. */
function documentedCodes(): Readonly<Record<string, readonly string[]>> {
  const sections = read("docs/errors.md").split(/^## /m).slice(1);
  return Object.fromEntries(
    sections.map((section) => [
      section.slice(0, section.indexOf("\n")),
      Array.from(section.matchAll(/^### (\w+)$/gm), ([, code = ""]) => code).sort(),
    ]),
  );
}

/** The page and the files it loads are not an interface that other programs use. */
function isOfPage({ kind }: (typeof routes)[number]): boolean {
  return kind === "page" || kind === "asset";
}

describe("docs/errors.md", () => {
  it("has a heading for each code of each error class, and no other", () => {
    expect(Object.keys(declaredCodes())).toContain("ProtocolError");
    expect(documentedCodes()).toEqual(declaredCodes());
  });

  it("says something about each code", () => {
    const bodies = read("docs/errors.md").split(/^### /m).slice(1);

    expect(bodies.filter((body) => body.split("\n").slice(1).join("").trim().length < 20)).toEqual([]);
  });
});

describe("docs/wire-compatibility.md", () => {
  it("names each path of the route table but the page's, and no other", () => {
    const named = Array.from(
      read("docs/wire-compatibility.md").matchAll(/`((?:GET|POST) \/[^`]*)`/g),
      ([, path = ""]) => path,
    );
    const api = routes.filter((route) => !isOfPage(route)).map((route) => `${route.method} ${route.path}`);

    expect([...new Set(named)].sort()).toEqual(api.sort());
  });
});

describe("docs/clients.md and docs/pitfalls.md", () => {
  // What users of Pyroscope were told to know, by the ids of the list that it was taken from.
  it.for([
    ["G1", "clients", "Alloy eBPF", "python_enabled"],
    ["G2", "clients", "What eBPF sees", "perf-map-agent"],
    ["G3", "clients", "Kernels", "5.10"],
    ["G4", "clients", "Symbols", '-ldflags="-s=false -w=false"'],
    ["G5", "clients", "Containers", "cgroup v1"],
    ["G6", "clients", "Perf maps", "/tmp/perf-PID.map"],
    ["G7", "clients", "SDK or eBPF", "labels"],
    ["G8", "clients", "Java agent", "PYROSCOPE_PROFILER_EVENT"],
    ["G9", "clients", "Java line numbers", "DebugNonSafepoints"],
    ["G10", "clients", "Two Java agents", "SkyWalking"],
    ["C8", "clients", "Grafana", "10.4"],
    ["M8.1", "pitfalls", "A scrape that times out", "time-out"],
    ["M8.2", "pitfalls", "An SDK that is too old", "1.0"],
    ["M8.3", "pitfalls", "An SDK without a name", "annotation"],
    ["M8.4", "pitfalls", "A service name that is refused", "space"],
    ["M8.5", "pitfalls", "Two agents on one service", "twice"],
    ["M8.6", "pitfalls", "Addresses in place of names", "symbols"],
    ["M8.7", "pitfalls", "Allocated is not in use", "inuse_space"],
    ["M8.8", "pitfalls", "A Grafana that is too old", "10.4"],
  ] as const)("have a heading for %s that says what matters", ([, document, heading, word]) => {
    const sections = read(`docs/${document}.md`).split(/^#{2,3} /m);

    expect(sections.find((section) => section.startsWith(`${heading}\n`))).toContain(word);
  });

  it("name a finding of the doctor for each pitfall, or say why there is none", () => {
    const sections = read("docs/pitfalls.md").split(/^### /m).slice(1);
    const lines = sections.map((section) => /^Finding: (.*)/m.exec(section)?.[1] ?? "");
    const reasons = lines.flatMap((line) =>
      Array.from(line.matchAll(/`([a-z_]+)`/g), ([, name = ""]) => name),
    );

    expect(lines).toHaveLength(8);
    expect(lines.filter((line) => line.startsWith("none"))).toHaveLength(2);
    expect(Object.keys(findingAdvice)).toEqual(expect.arrayContaining(reasons));
    expect(reasons.length).toBeGreaterThanOrEqual(6);
  });

  it("names each version that the programs of interop/ use", () => {
    const versions = [
      ["interop/go/go.mod", /grafana\/pyroscope-go v([\d.]+)/],
      ["interop/go/go.mod", /pdata\/pprofile v([\d.]+)/],
      ["interop/java.interop.ts", /AGENT_VERSION = "([\d.]+)"/],
      ["interop/python/requirements.txt", /pyroscope-io==([\d.]+)/],
      ["interop/rust/Cargo.toml", /version = "=([\d.]+)"/],
      ["interop/package.json", /"@pyroscope\/nodejs": "([\d.]+)"/],
    ] as const;
    const text = read("docs/clients.md");

    expect(versions.map(([file, pattern]) => pattern.exec(read(file))?.[1])).toSatisfy((found) =>
      found.every((version: string | undefined) => version !== undefined && text.includes(` ${version} `)),
    );
  });
});

describe("docs/reliability.md", () => {
  const text = read("docs/reliability.md");

  it("has a row for each goal of the receiver and of the SDK", () => {
    const rows = [...text.matchAll(/^\| ([RS])(\d+) \|/gm)].map(([, kind, number]) => `${kind}${number}`);
    const goals = (kind: string, count: number) => Array.from({ length: count }, (_, i) => `${kind}${i + 1}`);

    expect(rows).toEqual([...goals("R", 23), ...goals("S", 11)]);
  });

  it("names tests that are there", () => {
    const named = [...text.matchAll(/`([\w/.-]+\.(?:test|e2e)\.ts)`/g)].map(([, file]) => file ?? "");
    const folders = ["e2e", ...readdirSync(join(root, "packages")).map((name) => `packages/${name}/src`)];
    const files = folders.flatMap((folder) => listFiles(folder));

    expect(named.length).toBeGreaterThan(40);
    expect(named.filter((name) => !files.some((file) => `/${file}`.endsWith(`/${name}`)))).toEqual([]);
  });
});

describe("packages/protocol/README.md", () => {
  const examples = Array.from(
    read("packages/protocol/README.md").matchAll(/```js\n([\s\S]*?)```/g),
    ([, code = ""]) => code,
  );

  it("has examples that print what their comments say", () => {
    // Each printed text stands in a comment, on the line of the call or on lines of its own below it.
    const expected = examples.map((code) => {
      const printed = code.matchAll(/^console\.log\(.*\);(?: |\n(?=\/\/))((?:\/\/ .*\n)*)/gm);
      return Array.from(printed, ([, comments = ""]) => comments.replaceAll("// ", "")).join("");
    });

    const actual = examples.map((code) =>
      execFileSync(process.execPath, ["--input-type=module", "--eval", code], {
        cwd: join(root, "e2e"),
        encoding: "utf8",
      }),
    );

    expect(actual).toEqual(expected);
    expect(actual.join("")).not.toBe("");
  });
});

describe("CONTRIBUTING.md", () => {
  it("stays short enough to be read", () => {
    expect(read("CONTRIBUTING.md").split("\n").length).toBeLessThanOrEqual(150);
  });
});

describe("links between documents", () => {
  const documents = [
    "deploy/grafana/README.md",
    ...readdirSync(root).filter((name) => name.endsWith(".md")),
    ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".md"))
      .map((name) => join("docs", name)),
    ...readdirSync(join(root, "packages"))
      .map((name) => `packages/${name}/README.md`)
      .filter((path) => existsSync(join(root, path))),
  ];

  it.for(documents)("of %s lead to files that exist", (path) => {
    const targets = Array.from(read(path).matchAll(/\]\((?!\w+:|#)([^)#]+)/g), ([, target = ""]) => target);

    expect(targets.filter((target) => !existsSync(join(root, dirname(path), target)))).toEqual([]);
  });
});
