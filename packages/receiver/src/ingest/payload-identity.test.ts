import { labelSetFromRecord } from "@pyroscope-ts/protocol";
import { expect, it } from "vitest";
import { hashPayload, identifyProfile } from "./payload-identity.ts";

const labels = labelSetFromRecord({ __name__: "cpu", service_name: "shop" });
const payload = hashPayload(Buffer.from("payload"));

it("is a fixed function: identities in logs and blocks stay what they are", () => {
  expect(identifyProfile("anonymous", labels, 1_772_366_400_000_000_000n, payload)).toEqual({
    hi: 6617732307437941507n,
    lo: 286244681347609104n,
  });
});

it("differs with every part", () => {
  const parts: Parameters<typeof identifyProfile>[] = [
    ["a", labels, 1n, payload],
    ["b", labels, 1n, payload],
    ["a", labelSetFromRecord({ __name__: "cpu", service_name: "shop2" }), 1n, payload],
    ["a", labelSetFromRecord({ __name__: "cpu" }), 1n, payload],
    ["a", labels, 2n, payload],
    ["a", labels, 1n, hashPayload(Buffer.from("payload2"))],
    ["a", [{ name: "__name__", value: 'cpu"],["service_name","shop' }], 1n, payload],
  ];

  const texts = parts.map((part) => {
    const { hi, lo } = identifyProfile(...part);
    return `${hi},${lo}`;
  });
  expect(new Set(texts).size).toBe(parts.length);
});
