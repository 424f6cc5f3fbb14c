// How each profiler is set up as its documentation says, with CPU time and labels where it has them, and windows of 15 s.
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";

export const peerVersions = {
  "@pyroscope/nodejs": "0.6.4",
  "dd-trace": "5.132.0",
  "@platformatic/flame": "1.7.0",
};

export const WINDOW_SECONDS = 15;

const runPlain = (_labels, run) => run();

/**
 * Each starts in its process and gives `label`, which runs a function with labels and returns what that returned, and perhaps
 * `readFiles`, which ends a window and reads what was written to the working directory.
 */
export const profilers = {
  none: {
    title: "no profiler",
    environment: {},
    start: async () => ({ label: runPlain }),
  },
  ours: {
    title: "this SDK",
    environment: {},
    async start(serverAddress) {
      const { start, tagWrapper } = await import("../../bundle/index.js");
      start({ applicationName: "bench", serverAddress, uploadRate: `${WINDOW_SECONDS}s`, logLevel: "error" });
      return { label: tagWrapper };
    },
  },
  pyroscope: {
    title: "@pyroscope/nodejs",
    environment: {},
    async start(serverAddress, load) {
      const { default: pyroscope } = load("@pyroscope/nodejs");
      pyroscope.init({
        appName: "bench",
        serverAddress,
        flushIntervalMs: WINDOW_SECONDS * 1000,
        wall: { collectCpuTime: true, samplingDurationMs: WINDOW_SECONDS * 1000 },
      });
      pyroscope.start();
      return {
        label(labels, run) {
          let result;
          pyroscope.wrapWithLabels(labels, () => {
            result = run();
          });
          return result;
        },
      };
    },
  },
  datadog: {
    title: "dd-trace",
    environment: {
      DD_PROFILING_ENABLED: "true",
      DD_PROFILING_UPLOAD_PERIOD: String(WINDOW_SECONDS),
      DD_APM_TRACING_ENABLED: "false",
      DD_INSTRUMENTATION_TELEMETRY_ENABLED: "false",
      DD_REMOTE_CONFIGURATION_ENABLED: "false",
      DD_SERVICE: "bench",
    },
    async start(serverAddress, load) {
      process.env.DD_TRACE_AGENT_URL = serverAddress;
      const { tracer } = load("dd-trace");
      tracer.init();
      tracer.profiling.setCustomLabelKeys(["route"]);
      // It begins a while after the program.
      for (let i = 0; i < 100 && !(await tracer.profilerStarted()); i++) await sleep(20);
      return { label: (labels, run) => tracer.profiling.runWithLabels(labels, run) };
    },
  },
  flame: {
    title: "@platformatic/flame",
    environment: { FLAME_AUTO_START: "true", FLAME_DELAY: "none" },
    async start(_serverAddress, load) {
      const { log } = console;
      console.log = () => {};
      load("@platformatic/flame/preload.js");
      const isProfile = (name) => name.endsWith(".pb");
      return {
        label: runPlain,
        async readFiles() {
          process.kill(process.pid, "SIGUSR2");
          for (let i = 0; i < 100 && !readdirSync(".").some((name) => name.startsWith("heap-")); i++) {
            await sleep(100);
          }
          console.log = log;
          return readdirSync(".")
            .filter(isProfile)
            .map((name) => {
              const bytes = existsSync(name) ? readFileSync(name) : Buffer.alloc(0);
              rmSync(name, { force: true });
              return bytes.toString("base64");
            });
        },
      };
    },
  },
};

/** `require` of the folder where the peers are. */
export const requireFrom = (directory) => createRequire(`${directory}/package.json`);
