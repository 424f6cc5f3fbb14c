import { describe, expect, it } from "vitest";
import type { Profile } from "../profile/profile.ts";
import { readTestdata } from "../testing/real-profile.fixture.ts";
import { decodePprof } from "./decode-pprof.ts";

function columnsOf(profile: Profile): ArrayBufferView[] {
  const { samples, labels, locations, lines, functions, mappings } = profile;
  const tables = [samples, labels, locations, lines, functions, mappings];
  return tables.flatMap((table) => Object.values(table).filter((column) => ArrayBuffer.isView(column)));
}

function buffersOf(profile: Profile): ArrayBufferLike[] {
  return [...new Set(columnsOf(profile).map(({ buffer }) => buffer))];
}

describe("memory of a decoded profile", () => {
  it("is two buffers of exactly the size of its columns", () => {
    const profile = decodePprof(readTestdata("go-heap.pb.gz"));

    const buffers = buffersOf(profile);
    const used = columnsOf(profile).reduce((sum, { byteLength }) => sum + Math.ceil(byteLength / 8) * 8, 0);

    expect(buffers).toHaveLength(2);
    expect(buffers.reduce((sum, { byteLength }) => sum + byteLength, 0)).toBe(used);
  });

  it("is shared with no other profile", () => {
    const bytes = readTestdata("go-heap.pb.gz");

    const [first, second] = [buffersOf(decodePprof(bytes)), buffersOf(decodePprof(bytes))];

    expect(first.filter((buffer) => second.includes(buffer))).toEqual([]);
  });

  it("is not changed by what is decoded after it, nor what is decoded by what came before", () => {
    const bytes = readTestdata("go-heap.pb.gz");
    const larger = readTestdata("node-time.pb.gz");
    const profile = decodePprof(bytes);
    const expected = structuredClone(profile);

    decodePprof(larger);
    expect(() => decodePprof(larger.subarray(0, larger.length >> 1))).toThrow();

    expect(profile).toEqual(expected);
    expect(decodePprof(bytes)).toEqual(expected);
  });
});
