import { describe, expect, it } from "vitest";
import { readOverrides } from "./overrides-source.ts";

describe("readOverrides", () => {
  it("says why a server could not be asked, or what it answered", async () => {
    const refusing = async (): Promise<Response> => {
      throw new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
    };
    const missing = async () => new Response("overrides: {}", { status: 404 });

    await expect(readOverrides("http://limits/a", refusing)).rejects.toThrow("GET: connect ECONNREFUSED");
    await expect(readOverrides("https://limits/a", missing)).rejects.toThrow(
      "GET: answered 404, expected 200",
    );
  });

  it("gives up an answer without an end", async () => {
    const chunk = new Uint8Array(1024 * 1024);
    const endless = async () =>
      new Response(new ReadableStream({ pull: (controller) => controller.enqueue(chunk) }));

    await expect(readOverrides("http://limits/a", endless)).rejects.toThrow("more than 16777216 bytes");
  });

  it("does not take a password, which would be shown", async () => {
    await expect(readOverrides("http://user:secret@limits/a")).rejects.toThrow(
      "a user or a password in a URL is not taken",
    );
  });
});
