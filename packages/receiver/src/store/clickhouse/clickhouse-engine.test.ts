import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { ClickHouseEngine, type ClickHouseEngineOptions } from "./clickhouse-engine.ts";

const FILTER = { fromUnixNanos: 1n, untilUnixNanos: 2n };

function engineThat(
  query: (options: { readonly query: string }) => Promise<readonly (readonly string[])[]>,
): ClickHouseEngine {
  const client = {
    query: async (options: { readonly query: string }) => {
      const rows = await query(options);
      return { text: async () => rows.map((row) => `${JSON.stringify(row)}\n`).join("") };
    },
    close: async () => undefined,
  };
  return new ClickHouseEngine({
    ...{ client: client as unknown as ClickHouseEngineOptions["client"], name: "http://click:8123" },
    ...{ source: (paths: readonly string[]) => `files(${paths.join()})`, secrets: ["pass word", "S3KEY"] },
  });
}

describe("ClickHouseEngine", () => {
  it("asks once for all parts of which the same times count", async () => {
    const asked: string[] = [];
    const engine = engineThat(async ({ query }) => {
      asked.push(query);
      return [["7", "-9223372036854775809"]];
    });
    const ranges = [{ from: 1, until: 2 }];

    const sums = await engine.sumStacks(
      [
        { path: "a", ranges: undefined },
        { path: "b", ranges },
        { path: "c", ranges: undefined },
      ],
      FILTER,
    );

    expect(sums).toEqual([
      [7n, -(2n ** 63n) - 1n],
      [7n, -(2n ** 63n) - 1n],
    ]);
    expect(asked.map((query) => /files\(([^)]*)\)/.exec(query)?.[1])).toEqual(["a,c", "b"]);
  });

  it("says what is wrong with a server, and never a secret", async () => {
    const error = Object.assign(
      new Error(
        "Authentication failed for 'pass word' (pass%20word) in scope SELECT * FROM s3('x', 'S3KEY')",
      ),
      { code: "516" },
    );
    const engine = engineThat(() => Promise.reject(error));

    const failure = await engine
      .sumStacks([{ path: "a", ranges: undefined }], FILTER)
      .catch((thrown: unknown) => thrown);

    expect(failure).toMatchObject({
      code: "STORAGE_UNAVAILABLE",
      message: "ClickHouse http://click:8123: 516: Authentication failed for '***' (***)",
    });
    expect((failure as Error).cause).toBeUndefined();
  });

  it("takes no answer with rows that are none", async () => {
    const rows = [["1", "2"], ["Code: 241. DB::Exception: Memory limit exceeded"]];
    const engine = engineThat(async () => rows);

    await expect(engine.sumStacks([{ path: "a", ranges: undefined }], FILTER)).rejects.toMatchObject({
      code: "STORAGE_UNAVAILABLE",
      message: expect.stringContaining("expected a row of numbers, got "),
    });
  });

  it("is cancelled with who asked", async () => {
    const engine = engineThat(() => Promise.reject(new Error("The user aborted a request.")));
    const parts = [{ path: "a", ranges: undefined }];

    await expect(engine.sumStacks(parts, FILTER, AbortSignal.abort())).rejects.toMatchObject({
      code: "CANCELLED",
    });
  });

  it.for<[string, (answer: ServerResponse) => void, RegExp]>([
    ["says nothing", () => undefined, /Timeout/],
    ["stops in the middle", (answer) => void answer.write('["1","2"]\n'), /Timeout|aborted/],
    [
      "is cut in the middle",
      (answer) => void answer.write('["1","2"]\n', () => answer.destroy()),
      /aborted|hang up|ECONNRESET|terminated|closed/,
    ],
    [
      "fails in the middle",
      (answer) => void answer.end('["1", "2"]\nCode: 241. DB::Exception: Memory limit exceeded'),
      /got Code: 241\. DB::Exception: Memory limit exceeded/,
    ],
  ])("says of a server that %s that it is of no use", async ([, answer, reason]) => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      answer(response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const s3 = { bucket: "b", region: "r", endpoint: "http://127.0.0.1:1", isPathStyle: true, prefix: "" };
    const place = { s3: { ...s3, credentials: undefined, hasConditionalWrites: true } };
    const engine = await ClickHouseEngine.create(
      { ...place, url: `http://127.0.0.1:${port}`, cluster: undefined, namedCollection: undefined },
      300,
    );
    try {
      const failing = engine.sumStacks([{ path: "a", ranges: undefined }], FILTER);

      await expect(failing).rejects.toMatchObject({
        code: "STORAGE_UNAVAILABLE",
        message: expect.stringMatching(reason),
      });
    } finally {
      await engine.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it("says that nobody listens", async () => {
    const s3 = {
      ...{ bucket: "b", region: "r", endpoint: "http://127.0.0.1:1", isPathStyle: true, prefix: "" },
      ...{ credentials: { accessKeyId: "A", secretAccessKey: "S3KEY" }, hasConditionalWrites: true },
    };
    const engine = await ClickHouseEngine.create({
      ...{
        s3,
        url: "http://user:pass%20word@127.0.0.1:1/db",
        cluster: undefined,
        namedCollection: undefined,
      },
    });
    try {
      const failure = await engine.sumStacks([{ path: "a", ranges: undefined }], FILTER).catch(String);

      expect(failure).toMatch(/ClickHouse http:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/);
      expect(failure).not.toMatch(/pass|S3KEY/);
    } finally {
      await engine.close();
    }
  });
});
