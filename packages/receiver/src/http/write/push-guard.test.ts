import { describe, expect, it } from "vitest";
import { createTestApp, type TestApp } from "../../testing/create-test-app.ts";

/** What may wait at once before a gate has measured how fast answers come. */
const ROOM = 50;

interface HeldApp extends TestApp {
  /** Each answers a push that waits. */
  readonly held: (() => void)[];
}

async function createHeldApp(): Promise<HeldApp> {
  const held: (() => void)[] = [];
  const push = async () => {
    await new Promise<void>((resolve) => held.push(resolve));
    return [{ ok: true, profiles: 1 } as const];
  };
  const app = await createTestApp({ storage: { push } });
  return { ...app, held };
}

const ingest = { method: "POST", url: "/ingest?name=shop&format=groups", payload: "a 1" } as const;
const ways = {
  ingest,
  "ingest under its old path": { ...ingest, url: "/pyroscope/ingest?name=shop&format=groups" },
  otlp: {
    method: "POST",
    url: "/v1development/profiles",
    headers: { "content-type": "application/x-protobuf" },
    payload: "x",
  },
  push: {
    method: "POST",
    url: "/push.v1.PusherService/Push",
    headers: { "content-type": "application/json" },
    payload: '{"series":[{"samples":[{"rawProfile":"eA=="}]}]}',
  },
} as const;

describe("addPushGuard", () => {
  it("answers 503 with Retry-After on every way to push while too many wait, and takes pushes again after them", async () => {
    const { app, held } = await createHeldApp();
    const waiting = Array.from({ length: ROOM }, () => app.inject(ingest));
    await expect.poll(() => held.length).toBe(ROOM);

    const refused = await Promise.all(Object.values(ways).map((request) => app.inject(request)));
    const health = await app.inject({ url: "/healthz" });
    for (const answer of held.splice(0)) answer();

    expect(refused.map(({ statusCode, headers }) => [statusCode, headers["retry-after"]])).toEqual(
      refused.map(() => [503, "5"]),
    );
    expect(refused[0]?.json()).toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/^\d+ profiles wait to be stored, .* limit 1000 ms$/),
    });
    expect(health.statusCode).toBe(200);
    expect(new Set((await Promise.all(waiting)).map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
    const again = app.inject(ingest);
    await expect.poll(() => held.length).toBe(1);
    for (const answer of held) answer();
    expect((await again).statusCode).toBe(200);
  });

  it("tells a gRPC client that the server is not available", async () => {
    const { app, held } = await createHeldApp();
    const waiting = Array.from({ length: ROOM }, () => app.inject(ingest));
    await expect.poll(() => held.length).toBe(ROOM);

    const refused = await app.inject({
      ...ways.push,
      headers: { "content-type": "application/grpc" },
      payload: "",
    });
    for (const answer of held.splice(0)) answer();
    await Promise.all(waiting);

    expect([refused.statusCode, refused.headers["grpc-status"]]).toEqual([200, "14"]);
  });

  it("counts what it turns away, tells the doctor, and logs it once", async () => {
    const { app, held, logLines } = await createHeldApp();
    const waiting = Array.from({ length: ROOM }, () => app.inject(ingest));
    await expect.poll(() => held.length).toBe(ROOM);
    for (let i = 0; i < 6; i++) await app.inject(ingest);
    for (const answer of held.splice(0)) answer();
    await Promise.all(waiting);

    const metrics = (await app.inject({ url: "/metrics" })).body;
    const [, count] =
      /discarded_samples_total\{reason="overloaded",tenant="anonymous"\} (\d+)/.exec(metrics) ?? [];
    const doctor = (await app.inject({ url: "/api/v1/doctor" })).json();

    expect(count).toBe("6");
    expect(doctor.tenants[0].findings).toContainEqual(
      expect.objectContaining({ reason: "overloaded", count: 6, advice: expect.any(String) }),
    );
    expect(logLines.filter((line) => line.includes("could not be served"))).toHaveLength(1);
  });
});
