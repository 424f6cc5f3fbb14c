/** Microseconds of CPU time that were used so far. */
export type CpuClock = () => number;

/**
 * The CPU clock of this thread, else, in the main thread, that of the process. Undefined in a worker thread of a runtime
 * that knows only the clock of the process.
 */
export function findCpuClock(isMainThread: boolean): CpuClock | undefined {
  // Not in Node 20, and not in the types.
  const threadCpuUsage: unknown = Reflect.get(process, "threadCpuUsage");
  if (typeof threadCpuUsage === "function") {
    return () => {
      // Linux reads the clock of the running thread as it was at the last tick of the scheduler, up to 4 ms ago; reading that
      // of the process brings it up to date. Takes 6 µs.
      process.cpuUsage();
      return sum(threadCpuUsage.call(process));
    };
  }
  return isMainThread ? () => sum(process.cpuUsage()) : undefined;
}

function sum({ user, system }: NodeJS.CpuUsage): number {
  return user + system;
}
