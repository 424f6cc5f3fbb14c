import { describe, expect, it } from "vitest";
import { SessionToken } from "./session-token.ts";

function createStorage(): Storage {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
  } as unknown as Storage; // the two methods that are used
}

describe("SessionToken", () => {
  it("keeps the token for the tab and lets requests be asked again", () => {
    const storage = createStorage();
    const token = new SessionToken(storage);
    expect(token.read()).toBe("");

    token.want();
    expect(token.isWanted.value).toBe(true);
    token.enter(" secret ");

    expect(token.read()).toBe("secret");
    expect(token.isWanted.value).toBe(false);
    expect(token.revision.value).toBe(1);
    expect(new SessionToken(storage).read()).toBe("secret");
  });

  it("can be put off until the next refusal", () => {
    const token = new SessionToken(createStorage());

    token.want();
    token.dismiss();

    expect(token.isWanted.value).toBe(false);
    expect(token.revision.value).toBe(0);
  });
});
