import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { totalValues } from "../profile/total-values.ts";
import { decodeJfr, type JfrProfiles } from "./decode-jfr.ts";

const read = (file: string): Buffer => readFileSync(new URL(`testdata/${file}`, import.meta.url));

const decode = (name: string, labels?: string): JfrProfiles =>
  decodeJfr(gunzipSync(read(`${name}.jfr.gz`)), {
    sampleRateHz: 100,
    startUnixNanos: 0n,
    endUnixNanos: 0n,
    labelsSnapshot: labels === undefined ? undefined : read(labels),
  });

const totalsOf = ({ profiles }: JfrProfiles) =>
  profiles
    .flatMap(({ name, profile }) => {
      const period = profile.periodType;
      return totalValues(profile).map((total, i) => {
        const { type, unit } = profile.sampleTypes[i]!;
        return `${name}:${type}:${unit}:${period?.type}:${period?.unit} ${total}`;
      });
    })
    .sort();

/** Sums of the first value, by label and by the function that was running. */
const sumsOf = ({ profiles }: JfrProfiles, name: string): ReadonlyMap<string, bigint> => {
  const { samples, labels, strings, sampleTypes, ...rest } = profiles.find(
    (one) => one.name === name,
  )!.profile;
  const sums = new Map<string, bigint>();
  const add = (key: string, value: bigint) => sums.set(key, (sums.get(key) ?? 0n) + value);
  for (let row = 0; row < samples.length; row++) {
    const value = samples.values[row * sampleTypes.length]!;
    for (let label = samples.labelStart[row]!; label < samples.labelStart[row + 1]!; label++) {
      add(`${strings[labels.key[label]!]}=${strings[labels.text[label]!]}`, value);
    }
    for (const location of new Set(
      samples.location.subarray(samples.locationStart[row], samples.locationStart[row + 1]),
    )) {
      const line = rest.lines.function[rest.locations.lineStart[location]!]!;
      add(strings[rest.functions.name[line]!]!, value);
    }
  }
  return sums;
};

describe("decodeJfr of real recordings", () => {
  it("reads what the Java agent sends with event itimer, to exact totals", () => {
    const recording = decode("agent-itimer", "agent-itimer.labels");

    expect(recording.event).toBe("itimer");
    expect(totalsOf(recording)).toEqual([
      "memory:alloc_in_new_tlab_bytes:bytes:space:bytes 246941440",
      "memory:alloc_in_new_tlab_objects:count:space:bytes 135",
      "memory:live:count:objects:count 33",
      "mutex:contentions:count:mutex:count 4",
      "mutex:delay:nanoseconds:mutex:count 933207761",
      "process_cpu:cpu:nanoseconds:cpu:nanoseconds 670000000",
    ]);
  });

  it("reads what the Java agent sends with event wall, to exact totals", () => {
    const recording = decode("agent-wall", "agent-wall.labels");

    expect(recording.event).toBe("wall");
    expect(totalsOf(recording)).toEqual([
      "memory:alloc_in_new_tlab_bytes:bytes:space:bytes 131597264",
      "memory:alloc_in_new_tlab_objects:count:space:bytes 68",
      "memory:live:count:objects:count 31",
      "mutex:contentions:count:mutex:count 4",
      "mutex:delay:nanoseconds:mutex:count 831373264",
      "process_cpu:cpu:nanoseconds:cpu:nanoseconds 1800000000",
      "wall:wall:nanoseconds:wall:nanoseconds 23310000000",
    ]);
  });

  it("reads what the JDK's own recorder writes, to exact totals", () => {
    const recording = decode("jdk17");

    expect(recording.event).toBe("");
    expect(totalsOf(recording)).toEqual([
      "block:contentions:count:block:count 35",
      "block:delay:nanoseconds:block:count 1413384304",
      "memory:alloc_in_new_tlab_bytes:bytes:space:bytes 15467944",
      "memory:alloc_in_new_tlab_objects:count:space:bytes 18",
      "memory:alloc_outside_tlab_bytes:bytes:space:bytes 890463216",
      "memory:alloc_outside_tlab_objects:count:space:bytes 575",
      "memory:alloc_sample_bytes:bytes:space:bytes 912107544",
      "memory:alloc_sample_objects:count:space:bytes 427",
      "mutex:contentions:count:mutex:count 11",
      "mutex:delay:nanoseconds:mutex:count 1395641873",
      "process_cpu:cpu:nanoseconds:cpu:nanoseconds 100000000",
    ]);
  });

  it("finds functions and the labels around them", () => {
    const cpu = sumsOf(decode("agent-itimer", "agent-itimer.labels"), "process_cpu");

    expect(Object.fromEntries(cpu)).toMatchObject({
      "route=/cart": 300_000_000n,
      "route=/search": 180_000_000n,
      "shard=a=b,c": 180_000_000n,
      "profile_id=00f067aa0ba902b7": 300_000_000n,
      "trace_id=4bf92f3577b34da6a3ce929d0e0e4736": 300_000_000n,
      "span_name=GET /cart": 300_000_000n,
      "Shop.price": 480_000_000n,
      "java/lang/Thread.run": 510_000_000n,
      "Shop$$Lambda$_.run": 510_000_000n,
    });
  });

  it("gives lambdas of the JDK's recorder one name", () => {
    expect(Object.fromEntries(sumsOf(decode("jdk17"), "process_cpu"))).toMatchObject({
      "Shop.price": 100_000_000n,
      "Shop$$Lambda$_.run": 100_000_000n,
    });
  });
});
