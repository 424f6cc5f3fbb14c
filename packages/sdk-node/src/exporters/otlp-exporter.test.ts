import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { create, ExportProfilesServiceResponseSchema, toBinary } from "@pyroscope-ts/protocol/messages";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../clock.ts";
import type { ProfileUpload } from "./exporter.ts";
import { OtlpExporter } from "./otlp-exporter.ts";

const upload: ProfileUpload = { startUnixMs: 0, endUnixMs: 1000, labels: [], profiles: [] };

let answer: Uint8Array = new Uint8Array();
const server = createServer((incoming, response) => {
  incoming.resume().on("end", () => response.writeHead(200).end(answer));
});

afterEach(() => new Promise((resolve) => server.close(resolve)));

describe("OtlpExporter", () => {
  it("says in one line what a server has not taken of it, and does not send it again", async () => {
    const errorMessage = `no room\r\n\u001b[2Jpyroscope: all is well ${"!".repeat(1000)}`;
    const partialSuccess = { rejectedProfiles: 2n, errorMessage };
    answer = toBinary(
      ExportProfilesServiceResponseSchema,
      create(ExportProfilesServiceResponseSchema, { partialSuccess }),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1development/profiles`;
    const tls = { ca: undefined, cert: undefined, key: undefined, rejectUnauthorized: true };
    const connection = { timeoutMs: 10_000, tls, proxy: undefined };
    const exporter = new OtlpExporter(
      { kind: "otlp", endpoint, headers: {}, isCompressed: true, connection, resourceAttributes: [] },
      systemClock,
    );

    const result = await exporter.export(upload, AbortSignal.timeout(20_000));
    await exporter.shutdown();

    expect(result).toMatchObject({ ok: false, retry: { kind: "never" } });
    const message = result.ok ? "" : result.error.message;
    expect(message).toContain("2 profiles rejected: no room [2Jpyroscope: all is well");
    expect(message.length).toBeLessThan(450);
  });
});
