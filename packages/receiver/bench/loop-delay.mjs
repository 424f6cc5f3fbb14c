// Loaded into a receiver by --import: writes, when it ends, how late its HTTP thread's event loop was.
import { writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

const path = process.env.LOOP_DELAY_FILE;
if (isMainThread && path !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  // The start is not what is measured.
  setTimeout(() => {
    delay.enable();
  }, 3000).unref();
  process.on("exit", () => {
    const millis = (nanos) => nanos / 1e6;
    writeFileSync(
      path,
      JSON.stringify({
        p50: millis(delay.percentile(50)),
        p99: millis(delay.percentile(99)),
        max: millis(delay.max),
      }),
    );
  });
}
