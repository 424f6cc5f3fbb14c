import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumPath } from "./harness/processes.ts";
import { launchBrowser } from "./harness/ui-lab.ts";

const CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
const SHOP = '{service_name="express-checkout"}';
// The demo pushes every 5 s; four pushes say enough about a function that takes half of the CPU time.
const PHASE_MS = 22_000;
const isSkipped = chromiumPath === undefined && process.env.CI === undefined;

describe.skipIf(isSkipped)("npm start", () => {
  let demo: Demo;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    [demo, browser] = await Promise.all([startDemo(), launchBrowser()]);
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await demo?.close();
  });

  it("shows the demo's hot function, and what changed when its slow path is switched on", async () => {
    const startedMs = Date.now();
    await wait(PHASE_MS);

    await page.goto(
      viewUrl(demo.pageUrl, { page: "flame", q: SHOP, t: CPU, from: "now-5m", sort: "-total" }),
    );
    await page.getByRole("button", { name: "rankProducts", exact: true }).waitFor();

    const switchedMs = Date.now();
    const answer = await fetch(new URL("/slow-path/on", demo.shopUrl), { method: "POST" });
    expect(answer.status).toBe(200);
    await wait(PHASE_MS);

    const sides = { "a.from": startedMs, "a.until": switchedMs, "b.from": switchedMs, "b.until": Date.now() };
    await page.goto(viewUrl(demo.pageUrl, { page: "diff", q: SHOP, t: CPU, ...sides }));
    const changes = page.getByRole("table", { name: "What changed, largest first" });
    const largest = changes.locator("tbody th button").first();
    await largest.waitFor();
    expect(await largest.textContent()).toBe("findBestDiscount");
  }, 120_000);

  it("ends what it started on SIGINT, with exit code 0", async () => {
    const ended = once(demo.process, "exit");
    demo.process.kill("SIGINT");
    const [code] = await ended;

    expect(code).toBe(0);
    await expect(fetch(demo.pageUrl)).rejects.toThrow("fetch failed");
    await expect(fetch(demo.shopUrl)).rejects.toThrow("fetch failed");
  });
});

interface Demo {
  readonly process: ChildProcess;
  readonly pageUrl: string;
  readonly shopUrl: string;
  readonly close: () => Promise<void>;
}

/** Runs what `npm start` runs, after its set-up, on free ports. */
async function startDemo(): Promise<Demo> {
  const directory = await mkdtemp(join(tmpdir(), "main-job-"));
  const script = fileURLToPath(new URL("../scripts/start.mjs", import.meta.url));
  const options = ["--port", "0", "--demo-port", "0", "--no-open", "--storage-path", directory];
  const child = spawn(process.execPath, [script, ...options], { stdio: ["ignore", "pipe", "ignore"] });
  let output = "";
  const find = (label: string) => new RegExp(`${label}: +(http://[^\\s/]+)`).exec(output)?.[1];
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  while (!output.includes("Ctrl-C")) {
    if (child.exitCode !== null)
      throw new Error(`scripts/start.mjs exited with ${child.exitCode}: ${output}`);
    await wait(50);
  }
  return {
    process: child,
    pageUrl: find("Page") ?? "",
    shopUrl: find("Demo") ?? "",
    close: async () => {
      if (child.exitCode === null && child.kill("SIGTERM")) await once(child, "exit");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function viewUrl(base: string, view: Readonly<Record<string, string | number>>): string {
  const query = new URLSearchParams(
    Object.entries(view).map(([key, value]): [string, string] => [key, String(value)]),
  );
  return `${base}/?${query}`;
}
