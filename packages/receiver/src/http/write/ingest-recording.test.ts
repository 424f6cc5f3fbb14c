import { formatLabels } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { readIngestItem } from "./ingest-item.ts";
import { parseIngestQuery } from "./ingest-query.ts";

const RECORDING = Buffer.from("FLR recording");
const LABELS = Buffer.from("labels");
const FORM_TYPE = "multipart/form-data; boundary=X";

const form = (...parts: readonly (readonly [head: string, content: Uint8Array])[]): Buffer =>
  Buffer.concat([
    ...parts.flatMap(([head, content]) => [
      Buffer.from(`--X\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
      content,
      Buffer.from("\r\n"),
    ]),
    Buffer.from("--X--\r\n"),
  ]);

const read = (
  body: Uint8Array,
  contentType = FORM_TYPE,
  parameters: Readonly<Record<string, string>> = {},
) => {
  const query = {
    name: "shop{env=prod}",
    from: "1772366390",
    until: "1772366400",
    sampleRate: "50",
    spyName: "javaspy",
    format: "jfr",
    ...parameters,
  };
  return readIngestItem(body, parseIngestQuery(query, contentType, 1_772_366_400_000), contentType);
};

const unprocessable = (message: string) => expect.objectContaining({ code: "UNPROCESSABLE", message });

describe("readIngestItem of a recording", () => {
  it("takes the files of a form, and what the query says", () => {
    const item = read(
      form(['name="jfr"; filename="jfr"', RECORDING], ['name="labels"; filename="labels"', LABELS]),
    );

    expect(Buffer.from(item!.payload)).toEqual(RECORDING);
    expect(formatLabels(item!.labels)).toBe('{env="prod", pyroscope_spy="javaspy", service_name="shop"}');
    expect(item).toMatchObject({
      format: {
        kind: "jfr",
        sampleRateHz: 50,
        fromUnixNanos: 1_772_366_390_000_000_000n,
        untilUnixNanos: 1_772_366_400_000_000_000n,
      },
    });
    expect(Buffer.from((item!.format as { labelsSnapshot: Uint8Array }).labelsSnapshot)).toEqual(LABELS);
    expect(item).not.toHaveProperty("ingest");
  });

  it.for([
    ["a form without labels", FORM_TYPE, form(['name="jfr"; filename="jfr"', RECORDING])],
    ["a plain field", FORM_TYPE, form(['name="jfr"', RECORDING])],
    ["a form without its content type", "", form(['name="jfr"', RECORDING])],
    ["a raw body", "", RECORDING],
  ] as const)("takes %s", ([, contentType, body]) => {
    const item = read(body, contentType);

    expect(Buffer.from(item!.payload)).toEqual(RECORDING);
    expect(item!.format).toMatchObject({ kind: "jfr", labelsSnapshot: new Uint8Array(0) });
  });

  it.for([
    ["an empty body", "", Buffer.alloc(0)],
    ["a form with an empty recording", FORM_TYPE, form(['name="jfr"; filename="jfr"', Buffer.alloc(0)])],
  ] as const)("has nothing to store of %s", ([, contentType, body]) => {
    expect(read(body, contentType)).toBeUndefined();
  });

  it.for([
    [
      "app_name",
      "shop{service_name=till}",
      '{app_name="shop", pyroscope_spy="javaspy", service_name="till"}',
    ],
    [
      "app_name unless it says that too",
      "shop{service_name=till,app_name=counter}",
      '{app_name="counter", pyroscope_spy="javaspy", service_name="till"}',
    ],
  ] as const)("keeps the application of a client that names its service as %s", ([, name, labels]) => {
    expect(formatLabels(read(RECORDING, "", { name })!.labels)).toBe(labels);
  });

  it("refuses a form without a recording, or without a boundary", () => {
    expect(() => read(form(['name="labels"', LABELS]))).toThrow(unprocessable("jfr field is required"));
    expect(() => read(RECORDING, "multipart/form-data")).toThrow(
      unprocessable("malformed multipart content type header: no boundary"),
    );
  });
});
