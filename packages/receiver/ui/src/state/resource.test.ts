import { describe, expect, it } from "vitest";
import { latest, Resource } from "./resource.ts";

interface Pending {
  readonly signal: AbortSignal;
  readonly resolve: (value: string) => void;
  readonly reject: (error: Error) => void;
}

function createLoader(): {
  readonly load: (signal: AbortSignal) => Promise<string>;
  readonly asked: Pending[];
} {
  const asked: Pending[] = [];
  const load = (signal: AbortSignal): Promise<string> =>
    new Promise((resolve, reject) => asked.push({ signal, resolve, reject }));
  return { load, asked };
}

const settle = (): Promise<void> => Promise.resolve();

describe("Resource", () => {
  it("goes from idle over loading to ready", async () => {
    const resource = new Resource<string>();
    const { load, asked } = createLoader();
    expect(resource.state.value).toEqual({ kind: "idle" });

    resource.request("a", load);
    expect(resource.state.value).toEqual({ kind: "loading", stale: undefined });
    asked[0]!.resolve("A");
    await settle();

    expect(resource.state.value).toEqual({ kind: "ready", value: "A" });
  });

  it("aborts the request before and never shows its late answer", async () => {
    const resource = new Resource<string>();
    const { load, asked } = createLoader();

    resource.request("a", load);
    resource.request("b", load);
    asked[1]!.resolve("B");
    await settle();
    asked[0]!.resolve("A");
    await settle();

    expect(asked[0]!.signal.aborted).toBe(true);
    expect(latest(resource.state.value)).toBe("B");
  });

  it("keeps the last answer while the next is awaited and when it fails", async () => {
    const resource = new Resource<string>();
    const { load, asked } = createLoader();
    resource.request("a", load);
    asked[0]!.resolve("A");
    await settle();

    resource.request("b", load);
    expect(resource.state.value).toEqual({ kind: "loading", stale: "A" });
    asked[1]!.reject(new Error("refused"));
    await settle();

    expect(resource.state.value).toMatchObject({ kind: "failed", error: { message: "refused" }, stale: "A" });
  });

  it("asks once for the same key, and again after a failure", async () => {
    const resource = new Resource<string>();
    const { load, asked } = createLoader();

    resource.request("a", load);
    resource.request("a", load);
    expect(asked).toHaveLength(1);
    asked[0]!.reject(new Error("refused"));
    await settle();
    resource.request("a", load);

    expect(asked).toHaveLength(2);
  });

  it("answers a key it knows without asking", async () => {
    const resource = new Resource<string>();
    const { load, asked } = createLoader();
    for (const [index, key] of ["a", "b"].entries()) {
      resource.request(key, load);
      asked[index]!.resolve(key.toUpperCase());
      await settle();
    }

    resource.request("a", load);

    expect(resource.state.value).toEqual({ kind: "ready", value: "A" });
    expect(asked).toHaveLength(2);
  });

  it("forgets the answer not used for longest after 24 others", async () => {
    const resource = new Resource<string>();
    const load = (): Promise<string> => Promise.resolve("x");
    for (let key = 0; key < 25; key++) {
      resource.request(String(key), load);
      await settle();
    }

    resource.request("1", load);
    expect(resource.state.value.kind).toBe("ready");
    resource.request("0", load);

    expect(resource.state.value.kind).toBe("loading");
  });

  it("stops what is under way when it is cleared", async () => {
    const resource = new Resource<string>();
    const { load, asked } = createLoader();
    resource.request("a", load);

    resource.clear();
    asked[0]!.resolve("A");
    await settle();

    expect(asked[0]!.signal.aborted).toBe(true);
    expect(resource.state.value).toEqual({ kind: "idle" });
  });
});
