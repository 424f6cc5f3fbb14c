import { buffer } from "node:stream/consumers";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { SelectSeriesRequestSchema, SelectSeriesResponseSchema } from "@pyroscope-ts/protocol/messages";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTestApp, type TestApp } from "../../testing/create-test-app.ts";
import { decodeText, toTextResponse } from "./grpc-web-text.ts";

const series = {
  labels: [{ name: "pod", value: "a" }],
  unixMillis: Float64Array.of(1000),
  values: Float64Array.of(7),
};

async function createSeriesApp(): Promise<TestApp> {
  const selectTimeSeries = async () => ({ value: [series], missingBlocks: [], resolution: "raw" });
  return await createTestApp({ storage: { selectTimeSeries } });
}

function frame(flags: number, content: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(content.length, 1);
  return Buffer.concat([head, content]);
}

const question = toBinary(
  SelectSeriesRequestSchema,
  create(SelectSeriesRequestSchema, {
    ...{ profileTypeID: "process_cpu:cpu:nanoseconds:cpu:nanoseconds", labelSelector: "{}" },
    ...{ start: 1n, end: 2000n, step: 1 },
  }),
);

const ask = async ({ app }: TestApp, payload: string, type = "application/grpc-web-text") =>
  await app.inject({
    ...{ method: "POST", url: "/querier.v1.QuerierService/SelectSeries" },
    ...{ headers: { "content-type": type }, payload },
  });

async function* inParts(...parts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part, "latin1");
}

describe("gRPC-Web in base64", () => {
  it.for(["application/grpc-web-text", "application/grpc-web-text+proto"])(
    "is answered in base64: %s",
    async (type) => {
      const response = await ask(await createSeriesApp(), frame(0, question).toString("base64"), type);
      const bytes = Buffer.from(response.body, "base64");
      const length = bytes.readUInt32BE(1);
      const answer = fromBinary(SelectSeriesResponseSchema, bytes.subarray(5, 5 + length));

      expect([response.statusCode, response.headers["content-type"]]).toEqual([
        200,
        "application/grpc-web-text+proto",
      ]);
      // No padding within: the whole is one text.
      expect(bytes.toString("base64")).toBe(response.body);
      expect(answer.series[0]?.points[0]).toMatchObject({ value: 7, timestamp: 1000n });
      expect(bytes.subarray(5 + length).toString("latin1")).toMatch(/grpc-status: 0/);
    },
  );

  it("may have padding in each of its parts", async () => {
    const bytes = frame(0, question);
    const payload = `${bytes.subarray(0, 5).toString("base64")}${bytes.subarray(5).toString("base64")}`;

    expect(payload).toContain("=");
    expect((await ask(await createSeriesApp(), payload)).body).not.toBe("");
  });

  it.for([
    ["other characters", "AAAA*AAA"],
    ["a text that is cut off", "AAAAA"],
  ])("is refused with a reason: %s", async ([, payload = ""]) => {
    const response = await ask(await createSeriesApp(), payload);
    const trailers = Buffer.from(response.body, "base64").toString("latin1");

    expect(response.statusCode).toBe(200);
    expect(trailers).toMatch(/grpc-message: the%20body%20is%20not%20base64.*grpc-status: 3\r\n/s);
  });

  it("is what it was, however it is cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 40 }),
        fc.array(fc.nat({ max: 40 })),
        async (bytes, cuts) => {
          const parts = [...cuts.sort((left, right) => left - right), bytes.length].map((end, i, ends) =>
            bytes.subarray(ends[i - 1] ?? 0, Math.max(end, ends[i - 1] ?? 0)),
          );
          const { body } = toTextResponse({
            status: 200,
            header: new Headers({ "content-type": "application/grpc-web+proto" }),
            body: (async function* () {
              yield* parts;
            })(),
          });
          const text = await buffer(body as AsyncIterable<Uint8Array>);
          const letters = [...text.toString("latin1")];

          expect(await buffer(decodeText(inParts(...letters)))).toEqual(Buffer.from(bytes));
        },
      ),
    );
  });
});
