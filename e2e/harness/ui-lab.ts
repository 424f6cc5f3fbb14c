import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodePprof, ProfileBuilder } from "@pyroscope-ts/protocol";
import { type Browser, chromium, type Page } from "playwright-core";
import { chromiumPath } from "./processes.ts";
import { waitUntilReady } from "./receiver-process.ts";

/** A stack, root first, with its value: nanoseconds of CPU or bytes of heap. A frame may name a line: `parse@12`. */
interface DrawnStack {
  readonly stack: readonly string[];
  readonly value: number;
  /** Labels of the sample, such as `span_id`. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** A profile to be pushed: when it was taken, of which series, what is in it. */
export interface DrawnProfile {
  readonly timeMs: number;
  /** CPU time where it is left out. */
  readonly kind?: "cpu" | "heap";
  readonly labels: Readonly<Record<string, string>>;
  readonly stacks: readonly DrawnStack[];
}

/** The receiver as a process, on a free port and an empty directory. */
export interface UiLab {
  readonly url: string;
  readonly push: (profiles: readonly DrawnProfile[], token?: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Starts the built receiver. */
export async function startUiLab(args: readonly string[] = []): Promise<UiLab> {
  const directory = await mkdtemp(join(tmpdir(), "web-ui-"));
  const bin = fileURLToPath(new URL("../../packages/receiver/bin/pyroscope.js", import.meta.url));
  const options = ["--api-bind-addr", "127.0.0.1:0", "--storage-path", directory, ...args];
  const child = spawn(process.execPath, [bin, "server", ...options], {
    env: {},
    stdio: ["ignore", "pipe", "pipe"],
  });
  const url = await readAddress(child);
  await waitUntilReady(url);
  return {
    url,
    push: (profiles, token) => push(url, profiles, token),
    close: async () => {
      const ended = new Promise((resolve) => child.once("close", resolve));
      child.kill();
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function readAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const address = /listening on (http:\/\/\S+:\d+)/.exec(output)?.[1];
      if (address !== undefined) resolve(address);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`the receiver exited with ${code}: ${output}`)));
  });
}

const KINDS = {
  cpu: {
    name: "process_cpu",
    sample: { type: "cpu", unit: "nanoseconds" },
    period: { type: "cpu", unit: "nanoseconds" },
  },
  heap: {
    name: "memory",
    sample: { type: "inuse_space", unit: "bytes" },
    period: { type: "space", unit: "bytes" },
  },
} as const;

function encode({ timeMs, stacks, kind = "cpu" }: DrawnProfile): Uint8Array {
  const builder = new ProfileBuilder({
    sampleTypes: [KINDS[kind].sample],
    periodType: KINDS[kind].period,
    period: 10_000_000n,
    timeUnixNanos: BigInt(Math.round(timeMs)) * 1_000_000n,
    durationNanos: 15_000_000_000n,
  });
  for (const { stack, value, labels = {} } of stacks) {
    const locations = stack.map((frame) => {
      const [name = "", line = "0"] = frame.split("@");
      return builder.location({
        lines: [{ function: builder.function({ name, file: "src/shop.js" }), line: Number(line) }],
      });
    });
    const sampleLabels = Object.entries(labels).map(([key, text]) => ({ key, text }));
    builder.addSample(locations.reverse(), [value], sampleLabels);
  }
  return encodePprof(builder.build());
}

async function push(url: string, profiles: readonly DrawnProfile[], token = ""): Promise<void> {
  const series = profiles.map((profile) => ({
    labels: Object.entries({ __name__: KINDS[profile.kind ?? "cpu"].name, ...profile.labels }).map(
      ([name, value]) => ({
        name,
        value,
      }),
    ),
    samples: [{ rawProfile: Buffer.from(encode(profile)).toString("base64") }],
  }));
  const response = await fetch(`${url}/push.v1.PusherService/Push`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...(token === "" ? {} : { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ series }),
  });
  if (!response.ok) throw new Error(`pushing: ${response.status} ${await response.text()}`);
}

/** Starts Chromium without a window. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath ?? "chromium is not installed",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A page and everything that went wrong on it: exceptions, errors of the console, violations of the policy. */
export interface WatchedPage {
  readonly page: Page;
  readonly problems: string[];
}

/** Opens an address in a browser profile of its own. */
export async function openPage(browser: Browser, address: string): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(`exception: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(`console: ${message.text()}`);
  });
  await page.goto(address);
  return { page, problems };
}
