import { ProfileBuilder } from "@pyroscope-ts/protocol";
import { ProfileHasher, visitFrames } from "./hash-profile.ts";

/** What a roll-up calls the stacks that it does not keep apart: one frame of this name and nothing else. */
const OTHER = "other";

const ids = hashOther();

/** The stack `other` in SQL: its id, and its rows of stacks and frames. */
export const otherSql: Readonly<Record<"stack" | "stacks" | "frames", string>> = {
  stack: `${ids.stack}::UBIGINT`,
  stacks: `SELECT ${ids.stack}::UBIGINT AS stack, [${ids.frame}::UBIGINT] AS frames`,
  frames: `SELECT ${ids.frame}::UBIGINT AS frame, '${OTHER}' AS "function", '' AS system_name, '' AS file,
 0::BIGINT AS start_line, 0::BIGINT AS line, false AS inlined, '' AS mapping, '' AS build_id, 0::UBIGINT AS address`,
};

function hashOther(): { readonly stack: bigint; readonly frame: bigint } {
  const builder = new ProfileBuilder({
    sampleTypes: [{ type: OTHER, unit: "" }],
    periodType: { type: "", unit: "" },
    period: 0n,
    durationNanos: 0n,
  });
  const line = { function: builder.function({ name: OTHER }) };
  builder.addSample([builder.location({ lines: [line] })], [1n]);
  const hashed = new ProfileHasher().hash(builder.build());
  let frame = 0n;
  visitFrames(hashed, 0, (lo, hi) => {
    frame = toId(lo, hi);
  });
  return { stack: toId(hashed.stacks[0]!, hashed.stacks[1]!), frame };
}

function toId(lo: number, hi: number): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
}
