import { describe, expect, it } from "vitest";
import { messageField, textField, varintField } from "../pprof/raw-pprof.fixture.ts";
import { decodeLabelsSnapshot } from "./labels-snapshot.ts";

const label = (name: number, value: number) => messageField(1, varintField(1, name), varintField(2, value));
const context = (id: number | bigint, ...labels: number[][]) =>
  messageField(1, varintField(1, id), messageField(2, ...labels));
const text = (id: number, value: string) => messageField(2, varintField(1, id), textField(2, value));
const decode = (...fields: number[][]) => decodeLabelsSnapshot(Uint8Array.from(fields.flat()));

const STRINGS = [text(1, "route"), text(2, "/cart"), text(3, "shard"), text(4, "é")];

describe("decodeLabelsSnapshot", () => {
  it("gives each context its labels, in their order", () => {
    const snapshot = decode(context(7, label(1, 2), label(3, 4)), context(-1n, label(3, 2)), ...STRINGS);

    expect(snapshot.labelsOf(7n)).toEqual([
      { key: "route", text: "/cart" },
      { key: "shard", text: "é" },
    ]);
    expect(snapshot.labelsOf(-1n)).toEqual([{ key: "shard", text: "/cart" }]);
    expect(snapshot.textOf(4n)).toBe("é");
  });

  it("knows nothing of other ids", () => {
    const snapshot = decode(context(7, label(1, 2)), ...STRINGS);

    expect(snapshot.labelsOf(8n)).toEqual([]);
    expect(snapshot.textOf(9n)).toBe("");
  });

  it("leaves out labels without a text", () => {
    const snapshot = decode(context(7, label(9, 2), label(1, 9), label(1, 2)), ...STRINGS);

    expect(snapshot.labelsOf(7n)).toEqual([{ key: "route", text: "/cart" }]);
  });

  it("lets the last of two entries win, and skips fields it does not know", () => {
    const snapshot = decode(
      varintField(9, 1),
      context(7, label(1, 2)),
      messageField(1, messageField(2, label(3, 2), varintField(9, 1)), varintField(1, 7)),
      ...STRINGS,
      text(2, "/search"),
    );

    expect(snapshot.labelsOf(7n)).toEqual([{ key: "shard", text: "/search" }]);
  });

  it("takes as many labels of a context as a sample may have, and refuses one more when it is used", () => {
    const labels = [1, 2, 3].map(() => label(1, 2));
    const bytes = Uint8Array.from([context(7, ...labels), context(8, ...labels.slice(1)), ...STRINGS].flat());
    const snapshot = decodeLabelsSnapshot(bytes, { maxLabelsPerSample: 2 });

    expect(snapshot.labelsOf(8n)).toHaveLength(2);
    expect(() => snapshot.labelsOf(7n)).toThrow(
      expect.objectContaining({
        code: "JFR_LIMIT",
        limit: { name: "maxLabelsPerSample", actual: 3, limit: 2 },
      }),
    );
  });

  it("is cut off at any byte with a coded error or a shorter snapshot", () => {
    const bytes = Uint8Array.from([context(7, label(1, 2)), ...STRINGS].flat());
    const codes = new Set<unknown>();
    for (let length = 0; length < bytes.length; length++) {
      try {
        decodeLabelsSnapshot(bytes.subarray(0, length));
      } catch (error) {
        codes.add((error as { code?: unknown }).code);
      }
    }

    expect([...codes]).toEqual(["WIRE_MALFORMED"]);
  });
});
