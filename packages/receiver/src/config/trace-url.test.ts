import { describe, expect, it } from "vitest";
import { formatTraceUrl, traceUrl } from "./trace-url.ts";

const parse = (raw: string) => traceUrl.parse(raw, () => "");

describe("traceUrl", () => {
  it.for([
    "https://grafana.example.com/explore?left={traceId}",
    "http://127.0.0.1:16686/trace/{traceId}?uiFind={spanId}",
    "https://t.example.com/#/{service}/{traceId}/{from}-{until}",
  ])("takes %s as it is", (raw) => {
    expect(parse(raw)).toBe(raw);
  });

  it.for([
    "",
    "https://grafana.example.com/",
    "javascript:alert('{traceId}')",
    "data:text/html,{traceId}",
    "file:///{traceId}",
    "/trace/{traceId}",
    "//example.com/{traceId}",
    "https://{traceId}.example.com/",
    "https://example.com:{traceId}/",
    "{service}://example.com/{traceId}",
    "https://user:secret@example.com/{traceId}",
    "https://{service}@example.com/{traceId}",
  ])("refuses %j", (raw) => {
    expect(parse(raw)).toBeUndefined();
  });
});

describe("formatTraceUrl", () => {
  it("encodes every value, so that none ends the part of the address it stands in", () => {
    const url = formatTraceUrl(
      "https://t.example.com/{service}/{traceId}?at={from}-{until}#{spanId}{other}",
      {
        traceId: "4bf9",
        spanId: "0b",
        service: '../"><script>&x=#',
        from: "1",
        until: "2",
      },
    );

    expect(url).toBe("https://t.example.com/..%2F%22%3E%3Cscript%3E%26x%3D%23/4bf9?at=1-2#0b{other}");
  });
});
