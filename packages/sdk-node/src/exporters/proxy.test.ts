import { describe, expect, it } from "vitest";
import { findProxy } from "./proxy.ts";

const proxies = { http: "http://proxy:1", https: "http://proxy:2", except: undefined };

describe("findProxy", () => {
  it("takes the proxy of the server's scheme", () => {
    expect(findProxy("http://receiver:4040", proxies)).toBe("http://proxy:1");
    expect(findProxy("https://receiver", proxies)).toBe("http://proxy:2");
    expect(findProxy("https://receiver", { ...proxies, https: undefined })).toBeUndefined();
  });

  it.for(["http://localhost:4040", "http://127.0.0.1:4040", "http://[::1]:4040"])(
    "reaches %s without one",
    (url) => {
      expect(findProxy(url, proxies)).toBeUndefined();
    },
  );

  it.for([
    ["receiver.internal", true],
    ["RECEIVER.internal", true],
    ["internal", true],
    [".internal", true],
    ["*.internal", true],
    ["other, .internal", true],
    ["other .internal", true],
    ["receiver.internal:4040", true],
    [".internal:4040", true],
    ["*", true],
    ["receiver.internal:4041", false],
    ["eceiver.internal", false],
    ["internal.receiver", false],
    ["", false],
  ] as const)("leaves servers out that %j names: %s", ([except, isLeftOut]) => {
    const found = findProxy("http://receiver.internal:4040/a", { ...proxies, except });

    expect(found === undefined).toBe(isLeftOut);
  });

  it("knows addresses of IPv6", () => {
    const find = (except: string) => findProxy("http://[2001:db8::1]:4040", { ...proxies, except });

    expect([find("2001:db8::1"), find("[2001:db8::1]:4040"), find("[2001:db8::1]:1")]).toEqual([
      undefined,
      undefined,
      "http://proxy:1",
    ]);
  });
});
