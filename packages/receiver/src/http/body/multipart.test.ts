import { describe, expect, it } from "vitest";
import { findBoundary, parseMultipart } from "./multipart.ts";

const bytes = (...parts: readonly (string | Uint8Array)[]) =>
  new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part as string))));
const read = (body: Uint8Array, boundary = "B") =>
  parseMultipart(body, boundary).map(({ name, fileName, content }) => [
    name,
    fileName,
    Buffer.from(content).toString("latin1"),
  ]);

describe("parseMultipart", () => {
  it("reads files and fields, with content that holds line ends and dashes", () => {
    const body = bytes(
      'preamble\r\n--B\r\nContent-Disposition: form-data; name="profile"; filename="profile.pprof"\r\n',
      "Content-Type: application/octet-stream\r\n\r\n",
      "a\r\n--b\r\n--",
      "\r\n--B\r\ncontent-disposition: form-data; name=config\r\n\r\n{}\r\n--B--\r\nepilogue",
    );

    expect(read(body)).toEqual([
      ["profile", "profile.pprof", "a\r\n--b\r\n--"],
      ["config", undefined, "{}"],
    ]);
  });

  it("keeps every byte of binary content, and an empty part", () => {
    const binary = Uint8Array.from({ length: 256 }, (_, i) => i);
    const head = '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n';
    const body = bytes(head, binary, `\r\n${head}\r\n--B--`);

    expect(parseMultipart(body, "B").map((part) => part.content.length)).toEqual([256, 0]);
    expect(new Uint8Array(parseMultipart(body, "B")[0]!.content)).toEqual(binary);
  });

  it("reads lines that end in LF alone, and escapes in names", () => {
    const body = bytes('--B\nContent-Disposition: form-data; name="a\\"b"; filename="c\\\\d"\n\nx\n--B--\n');

    expect(read(body)).toEqual([['a"b', "c\\d", "x"]]);
  });

  it("reads a form without parts", () => {
    expect(read(bytes("--B--\r\n"))).toEqual([]);
  });

  const part = '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n';
  it.for([
    ["no boundary at all", "hello", /ends before its closing boundary/],
    ["nothing", "", /ends before its closing boundary/],
    ["no closing boundary", part, /ends before its closing boundary/],
    ["a boundary without a line end", "--B", /ends before its closing boundary/],
    ["a part without a name", "--B\r\nContent-Type: a/b\r\n\r\nx\r\n--B--", /part 0 has no name/],
    [
      "headers without an end",
      "--B\r\nContent-Disposition: form-data\r\n--B--",
      /headers of part 0 have no end/,
    ],
    [
      "headers that are too long",
      `--B\r\nX: ${"x".repeat(9000)}\r\n\r\n\r\n--B--`,
      /headers of part 0 have no end/,
    ],
    ["a hundred thousand parts", part.repeat(100_000), /more than 32 parts/],
  ] as const)("refuses %s", ([, body, message]) => {
    expect(() => read(bytes(body))).toThrow(
      expect.objectContaining({ code: "UNPROCESSABLE", message: expect.stringMatching(message) }),
    );
  });

  it("takes 32 parts and refuses 33", () => {
    expect(read(bytes(`${part.repeat(32)}--B--`))).toHaveLength(32);
    expect(() => read(bytes(`${part.repeat(33)}--B--`))).toThrow("more than 32 parts");
  });

  it("fails with a coded error wherever a form is cut", () => {
    const body = bytes(`${part}--B--`);

    for (let length = 0; length < body.length; length++) {
      expect(() => parseMultipart(body.subarray(0, length), "B")).toThrow(
        expect.objectContaining({ code: "UNPROCESSABLE" }),
      );
    }
  });
});

describe("findBoundary", () => {
  const none = new Uint8Array();

  it.for([
    ["multipart/form-data; boundary=abc", "abc"],
    ['Multipart/Form-Data; charset=utf-8; Boundary="a b"', "a b"],
    ["multipart/form-data", undefined],
    ["multipart/form-data; boundary=", undefined],
    ["application/octet-stream; boundary=abc", undefined],
  ] as const)("reads %j", ([contentType, boundary]) => {
    expect(findBoundary(contentType, none)).toBe(boundary);
  });

  it("finds the boundary in the first line of a body under another content type", () => {
    expect(findBoundary("application/octet-stream", bytes("----x7\r\nContent"))).toBe("--x7");
  });

  it.for(["\n\u0004\b", "--", "--\r\n", `--${"x".repeat(71)}\r\n`, "-x\r\n"])("finds none in %j", (body) => {
    expect(findBoundary("", bytes(body))).toBeUndefined();
  });
});
