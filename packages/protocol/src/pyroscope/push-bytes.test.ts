import fc from "fast-check";
import { expect, it } from "vitest";
import { create, PushRequestSchema, toBinary } from "../messages.ts";
import { encodePush } from "./push-bytes.ts";

const text = fc.string({ unit: "binary", maxLength: 200 });
const series = fc.array(
  fc.record({
    labels: fc.array(fc.record({ name: text, value: text }), { maxLength: 4 }),
    samples: fc.array(fc.record({ id: text, pprof: fc.uint8Array({ maxLength: 300 }) }), { maxLength: 4 }),
  }),
  { maxLength: 4 },
);

it("writes the bytes that the generated messages write", () => {
  fc.assert(
    fc.property(series, (all) => {
      const message = create(PushRequestSchema, {
        series: all.map(({ labels, samples }) => ({
          labels,
          samples: samples.map(({ id, pprof }) => ({ ID: id, rawProfile: pprof })),
        })),
      });

      expect(encodePush(all)).toEqual(toBinary(PushRequestSchema, message));
    }),
  );
});
