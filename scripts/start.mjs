// `npm start`: the receiver and the demo application, both until Ctrl-C, and the page in a browser.
//
//     npm start -- [--port 4040] [--demo-port 3000] [--storage-path data] [--no-demo] [--no-open]
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const { values: options } = readOptions();
const children = [];
let isStopping = false;

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => void stop(0, signal));

const receiverUrl = await launch("receiver", [
  join(root, "packages/receiver/bin/pyroscope.js"),
  "server",
  "--api-bind-addr",
  `127.0.0.1:${options.port}`,
  "--storage-path",
  options["storage-path"],
]);
// A large log takes a while to replay; until then the receiver refuses the demo's profiles.
while (!(await fetch(`${receiverUrl}/ready`)).ok) await new Promise((resolve) => setTimeout(resolve, 100));
const demoUrl = options["no-demo"]
  ? undefined
  : await launch(
      "demo",
      [join(root, "examples/express-checkout/src/main.js"), "--port", options["demo-port"]],
      {
        PYROSCOPE_SERVER_ADDRESS: receiverUrl,
        PYROSCOPE_AUTH_TOKEN: findPushToken(process.env.PYROSCOPE_AUTH_TOKEN ?? ""),
      },
    );

// The demo has just begun: in the page's own hour it would be a few pixels.
const pageUrl = demoUrl === undefined ? `${receiverUrl}/` : `${receiverUrl}/?from=now-15m`;
console.log(`\n  Page:  ${pageUrl}`);
if (demoUrl !== undefined) {
  console.log(`  Demo:  ${demoUrl}  (its first profile arrives within 10 seconds)`);
  console.log(`  Make it slow:  curl -X POST ${demoUrl}/slow-path/on   then compare in the page`);
}
console.log("  Ctrl-C stops everything.\n");
if (!options["no-open"]) openBrowser(pageUrl);

function readOptions() {
  try {
    const parsed = parseArgs({
      options: {
        help: { type: "boolean", default: false },
        port: { type: "string", default: "4040" },
        "demo-port": { type: "string", default: "3000" },
        "storage-path": { type: "string", default: join(root, "data") },
        "no-demo": { type: "boolean", default: false },
        "no-open": { type: "boolean", default: false },
      },
    });
    if (!parsed.values.help) return parsed;
    console.log(
      "npm start -- [--port 4040] [--demo-port 3000] [--storage-path data] [--no-demo] [--no-open]\n" +
        "Settings of the receiver are taken from the environment: docs/configuration.md.",
    );
    process.exit(0);
  } catch (error) {
    console.error(`start: ${error.message}`);
    process.exit(2);
  }
}

/** Starts a program and resolves to the address that its first "listening on" line names. */
function launch(name, args, env = {}) {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
    // In a group of its own: Ctrl-C would reach it twice, from the terminal and from here, and the second means "now".
    detached: true,
  });
  children.push(child);
  child.once("exit", (code, signal) => {
    if (isStopping) return;
    const advice = "--port, --demo-port and --storage-path choose another place (npm start -- --help)";
    console.error(
      `start: the ${name} ended (${signal ?? `exit code ${code}`}), its reason stands above; ${advice}`,
    );
    void stop(1, "SIGTERM");
  });
  return new Promise((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const address = /listening on (https?:\/\/\S+)/.exec(line)?.[1];
      if (address === undefined) console.log(line);
      else resolve(address);
    });
  });
}

/** The receiver's variable holds the tokens of all roles, the SDK's of the same name one token: the demo gets that one. */
function findPushToken(tokens) {
  const token = /(?:^|,)push=([^,]*)/.exec(tokens)?.[1] ?? "";
  return token.startsWith("@") ? readFileSync(token.slice(1), "utf8").trim() : token;
}

/** Ends what was started, the demo first so that its last profile still finds the receiver. */
async function stop(code, signal) {
  if (isStopping) return;
  isStopping = true;
  for (const child of children.reverse()) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }
  process.exit(code);
}

/** Best effort, and only for a person at a terminal: the address stands on the screen anyway. */
function openBrowser(url) {
  if (!process.stdout.isTTY || process.env.CI !== undefined) return;
  const [command, ...args] = { darwin: ["open"], win32: ["cmd", "/c", "start", ""] }[process.platform] ?? [
    "xdg-open",
  ];
  spawn(command, [...args, url], { stdio: "ignore", detached: true })
    .on("error", () => {})
    .unref();
}
