import { pushRequestBytes, stacksPprof } from "./push-bytes.ts";

/** Pushes whose series are all different. */
export interface LabelExplosion {
  /** A push.v1.PushRequest of the next `count` series. */
  next(count: number): Uint8Array;
}

/** Makes pushes of one service with another `session` in each series. */
export function createLabelExplosion(service: string): LabelExplosion {
  const pprof = stacksPprof({
    types: [["cpu", "nanoseconds"]],
    periodType: ["cpu", "nanoseconds"],
    timeUnixNanos: BigInt(Date.now()) * 1_000_000n,
    stacks: { "main;serve": [10] },
  });
  let session = 0;
  return {
    next(count) {
      const series = Array.from({ length: count }, () => ({
        labels: { __name__: "process_cpu", service_name: service, session: `s${session++}` },
        pprof,
      }));
      return pushRequestBytes(series);
    },
  };
}
