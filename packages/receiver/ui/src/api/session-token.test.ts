import { describe, expect, it } from "vitest";
import { SessionToken } from "./session-token.ts";

function createStorage(): Storage {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  } as unknown as Storage; // the three methods that are used
}

describe("SessionToken", () => {
  it("keeps the token for the tab and lets requests be asked again", () => {
    const storage = createStorage();
    const token = new SessionToken(storage);
    expect(token.read()).toBe("");

    token.want("missing");
    expect(token.refusal.value).toBe("missing");
    token.enter(" secret ");

    expect(token.read()).toBe("secret");
    expect(token.refusal.value).toBeUndefined();
    expect(token.revision.value).toBe(1);
    expect(new SessionToken(storage).read()).toBe("secret");
  });

  it("forgets a token that was refused and keeps saying why", () => {
    const token = new SessionToken(createStorage());
    token.enter("push-token");

    token.want("forbidden");
    token.want("missing");

    expect(token.read()).toBe("");
    expect(token.refusal.value).toBe("forbidden");
  });

  it("can be put off until the next refusal", () => {
    const token = new SessionToken(createStorage());

    token.want("missing");
    token.dismiss();

    expect(token.refusal.value).toBeUndefined();
    expect(token.revision.value).toBe(0);
  });
});
