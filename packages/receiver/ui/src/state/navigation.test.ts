import { describe, expect, it } from "vitest";
import { Navigation, type NavigationWindow } from "./navigation.ts";

interface FakeWindow extends NavigationWindow {
  readonly entries: string[];
  back: () => void;
}

function createWindow(search: string): FakeWindow {
  const entries = [search];
  let onPop = (): void => {};
  return {
    entries,
    location: {
      origin: "http://host",
      pathname: "/under/a/prefix/",
      get search() {
        return entries.at(-1) ?? "";
      },
    },
    history: {
      pushState: (_data, _unused, url) => entries.push(url),
      replaceState: (_data, _unused, url) => entries.splice(-1, 1, url),
    },
    addEventListener: (_type, listener) => {
      onPop = listener;
    },
    back: () => {
      entries.pop();
      onPop();
    },
  };
}

describe("Navigation", () => {
  it("starts with the view of the address bar", () => {
    expect(new Navigation(createWindow("?page=diff")).view.value.page).toBe("diff");
  });

  it("adds a step for a focus, which going back undoes", () => {
    const window = createWindow("?page=flame");
    const navigation = new Navigation(window);

    navigation.go({ path: "a.b" });
    expect(window.entries).toEqual(["?page=flame", "?page=flame&path=a.b"]);
    window.back();

    expect(navigation.view.value.path).toBe("");
  });

  it("adds no step for typing", () => {
    const window = createWindow("?page=flame");

    new Navigation(window).go({ search: "parse" });

    expect(window.entries).toEqual(["?page=flame&s=parse"]);
  });

  it("adds no step for what the page fills in itself", () => {
    const window = createWindow("?page=flame");
    const navigation = new Navigation(window);

    navigation.settle({ type: "a:b:c:d:e" });

    expect(window.entries).toHaveLength(1);
    expect(navigation.view.value.type).toBe("a:b:c:d:e");
  });

  it("links under the path that the page stands at", () => {
    const navigation = new Navigation(createWindow(""));

    expect(navigation.permalink({ ...navigation.view.value, page: "diff" })).toBe(
      "http://host/under/a/prefix/?page=diff",
    );
    expect(navigation.href({ page: "flame" })).toBe("?page=flame");
  });
});
