import { createReceiverClient } from "../../e2e/harness/client.ts";
import { readSamples } from "../../e2e/harness/fake-receiver.ts";

/** Where a function stands, and the time that was seen in it. */
export interface SeenFunction {
  readonly file: string;
  readonly line: number;
  readonly nanos: number;
}

/** A function in the CPU profiles that a receiver has of one run; undefined where it is in none. */
export async function findFunction(
  address: string,
  run: string,
  name: string,
): Promise<SeenFunction | undefined> {
  const query = `process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="shop",run="${run}"}`;
  const profile = await createReceiverClient(address).renderPprof(query, { from: "now-1h", until: "now" });
  let seen: SeenFunction | undefined;
  for (const { frames, value } of readSamples(profile)) {
    const frame = frames.find((each) => each.name === name);
    if (frame !== undefined) seen = { file: frame.file, line: frame.line, nanos: (seen?.nanos ?? 0) + value };
  }
  return seen;
}

/** Values of a label of the profiles of one run. */
export async function readLabelValues(
  address: string,
  run: string,
  name: string,
): Promise<readonly string[]> {
  const now = Date.now();
  const { names } = await createReceiverClient(address)
    .querier()
    .labelValues({
      name,
      matchers: [`{service_name="shop",run="${run}"}`],
      start: BigInt(now - 3_600_000),
      end: BigInt(now),
    });
  return names;
}
