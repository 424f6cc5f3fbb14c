import { type LabelSet, labelSetFromRecord } from "@pyroscope-ts/protocol";
import { expect, it } from "vitest";
import { hashPayload, identifyPayload, identifyProfile } from "./payload-identity.ts";

const labels = labelSetFromRecord({ __name__: "cpu", service_name: "shop" });
const payload = hashPayload(Buffer.from("payload"));

it("is a fixed function: identities in logs and blocks stay what they are", () => {
  expect(identifyProfile("anonymous", labels, identifyPayload(1_772_366_400_000_000_000n, payload))).toEqual({
    hi: 657485044021864874n,
    lo: 15015881393149796412n,
  });
});

it("differs with every part", () => {
  const parts: [string, LabelSet, bigint, Uint8Array][] = [
    ["a", labels, 1n, payload],
    ["b", labels, 1n, payload],
    ["a", labelSetFromRecord({ __name__: "cpu", service_name: "shop2" }), 1n, payload],
    ["a", labelSetFromRecord({ __name__: "cpu" }), 1n, payload],
    ["a", labels, 2n, payload],
    ["a", labels, 1n, hashPayload(Buffer.from("payload2"))],
    ["a", [{ name: "__name__", value: 'cpu"],["service_name","shop' }], 1n, payload],
  ];

  const texts = parts.map(([tenant, labelSet, time, hash]) => {
    const { hi, lo } = identifyProfile(tenant, labelSet, identifyPayload(time, hash));
    return `${hi},${lo}`;
  });
  expect(new Set(texts).size).toBe(parts.length);
});

it("has a half in common with all of its series, and one with all of its push", () => {
  const other = labelSetFromRecord({ __name__: "wall", service_name: "shop" });
  const [first, second] = [identifyPayload(1n, payload), identifyPayload(2n, payload)];

  const profile = identifyProfile("a", labels, first);

  expect(identifyProfile("a", labels, second).hi).toBe(profile.hi);
  expect(identifyProfile("a", other, first).lo).toBe(profile.lo);
  expect(second).not.toBe(first);
});
