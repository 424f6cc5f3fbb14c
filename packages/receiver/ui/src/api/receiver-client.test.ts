import { encodeTree } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { treeFromStacks } from "../testing/tree-from-stacks.ts";
import { ReceiverClient } from "./receiver-client.ts";
import type { TokenRefusal } from "./session-token.ts";

const query = { type: "a:b:c:d:e", selector: '{x="1"}', fromMs: 1000, untilMs: 2000 };
const { signal } = new AbortController();

interface Asked {
  readonly url: string;
  readonly init: RequestInit;
}

function createClient(
  answer: (url: string) => Response | Promise<Response>,
  token: string | (() => string) = "",
) {
  const asked: Asked[] = [];
  const refusals: TokenRefusal[] = [];
  const client = new ReceiverClient({
    baseUrl: "http://host/under/prefix/",
    fetch: async (input, init) => {
      asked.push({ url: String(input), init: init ?? {} });
      return answer(String(input));
    },
    token: typeof token === "string" ? () => token : token,
    onRefused: (refusal) => refusals.push(refusal),
  });
  return { client, asked, refusals };
}

describe("ReceiverClient", () => {
  it("asks below the page's path, with int64 as text", async () => {
    const { client, asked } = createClient(() => Response.json({ names: ["env", "__name__"] }));

    const names = await client.listLabelNames(query, signal);

    expect(names).toEqual(["env"]);
    expect(asked[0]?.url).toBe("http://host/under/prefix/querier.v1.QuerierService/LabelNames");
    expect(JSON.parse(String(asked[0]?.init.body))).toEqual({
      start: "1000",
      end: "2000",
      matchers: ['{__profile_type__="a:b:c:d:e",x="1"}'],
    });
  });

  it("groups profile types by service", async () => {
    const entry = (service: string, type: string): object => ({
      labels: [
        { name: "service_name", value: service },
        { name: "__profile_type__", value: type },
      ],
    });
    const { client } = createClient(() =>
      Response.json({ labelsSet: [entry("a", "1"), entry("b", "1"), entry("a", "2")] }),
    );

    expect([...(await client.listServices(query, signal))]).toEqual([
      ["a", ["1", "2"]],
      ["b", ["1"]],
    ]);
  });

  it("reads series whose zeros were left out on the wire", async () => {
    const { client } = createClient(() =>
      Response.json({ series: [{ points: [{ timestamp: "5" }, { value: 2 }] }] }),
    );
    const grid = { fromMs: 0, untilMs: 15_000, stepSeconds: 15 };

    expect(await client.selectSeries(query, grid, { groupBy: [], limit: 0 }, signal)).toEqual([
      {
        labels: {},
        points: [
          { timeMs: 5, value: 0 },
          { timeMs: 0, value: 2 },
        ],
      },
    ]);
  });

  it("decodes a flame graph and hands on what the receiver says about it", async () => {
    const body = Uint8Array.from(encodeTree(treeFromStacks({ "a;b": 3 })));
    const { client, asked } = createClient(
      () => new Response(body, { headers: { "x-pyroscope-partial": "01J", "x-pyroscope-resolution": "1m" } }),
    );

    const answer = await client.fetchTree(query, { maxNodes: 10, lines: true }, signal);

    expect(answer.value.total[0]).toBe(3);
    expect(answer.notices).toEqual({ partial: "01J", resolution: "1m" });
    expect(new URL(asked[0]?.url ?? "").searchParams.toString()).toBe(
      new URLSearchParams({
        query: 'a:b:c:d:e{x="1"}',
        from: "1000",
        until: "2000",
        format: "tree",
        maxNodes: "10",
        frames: "line",
      }).toString(),
    );
  });

  it("sends the token and asks for one when it is refused", async () => {
    const { client, asked, refusals } = createClient(
      () => Response.json({ code: "unauthenticated", message: "no" }, { status: 401 }),
      "secret",
    );

    await expect(client.readStats(signal)).rejects.toMatchObject({ code: "UNAUTHORIZED", message: "no" });

    expect(new Headers(asked[0]?.init.headers).get("authorization")).toBe("Bearer secret");
    expect(refusals).toEqual(["unknown"]);
  });

  it.for([
    [401, "", ["missing"]],
    [403, "push-token", ["forbidden"]],
    [403, "", []],
    [400, "secret", []],
  ] as const)("knows what %s says about the token %j", async ([status, token, expected]) => {
    const { client, refusals } = createClient(() => Response.json({ message: "no" }, { status }), token);

    await expect(client.readStats(signal)).rejects.toThrow("no");

    expect(refusals).toEqual(expected);
  });

  it("does not blame a new token for what an old one was refused", async () => {
    let token = "old";
    const { client, refusals } = createClient(
      () => {
        token = "new";
        return Response.json({ message: "no" }, { status: 401 });
      },
      () => token,
    );

    await expect(client.readStats(signal)).rejects.toThrow("no");

    expect(refusals).toEqual([]);
  });

  it("passes on the receiver's words, but not a proxy's page", async () => {
    const refused = createClient(() =>
      Response.json({ code: "invalid_argument", message: "bad selector" }, { status: 400 }),
    );
    const proxied = createClient(() => new Response("<html>Bad gateway</html>", { status: 502 }));

    await expect(refused.client.readStats(signal)).rejects.toMatchObject({
      code: "REJECTED",
      message: "bad selector",
    });
    await expect(proxied.client.readStats(signal)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: "the receiver answered 502",
    });
  });

  it("says who gave no answer", async () => {
    const { client } = createClient(() => Promise.reject(new TypeError("fetch failed")));

    await expect(client.readStats(signal)).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringContaining("host: no answer"),
    });
  });

  it.for([
    ["not bytes of a tree", () => new Response(new Uint8Array([5, 1]))],
    ["a list in place of an object", () => Response.json([])],
  ] as const)("calls %s malformed", async ([, answer]) => {
    const { client } = createClient(answer);
    const options = { maxNodes: 1, lines: false };

    await expect(
      Promise.all([client.fetchTree(query, options, signal), client.readStats(signal)]),
    ).rejects.toMatchObject({ code: "MALFORMED" });
  });
});
