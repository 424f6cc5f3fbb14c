import { describe, expect, it } from "vitest";
import { Theme } from "./theme.ts";

function createPage(options: { readonly stored?: string; readonly isDark: boolean }) {
  const items = new Map(options.stored === undefined ? [] : [["pyroscope-theme", options.stored]]);
  let onChange = (): void => {};
  const preference = {
    matches: options.isDark,
    addEventListener: (_type: string, listener: () => void) => {
      onChange = listener;
    },
  };
  const root = { dataset: {} as Record<string, string> };
  const theme = new Theme({
    // Only what a theme uses of each.
    storage: {
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => void items.set(key, value),
    } as unknown as Storage,
    root: root as unknown as HTMLElement,
    prefersDark: preference as unknown as MediaQueryList,
  });
  const prefer = (isDark: boolean): void => {
    preference.matches = isDark;
    onChange();
  };
  return { theme, root, items, prefer };
}

describe("Theme", () => {
  it("follows the system until the reader chooses", () => {
    const { theme, root, prefer } = createPage({ isDark: true });
    expect(theme.scheme.value).toBe("dark");

    prefer(false);

    expect(theme.scheme.value).toBe("light");
    expect(root.dataset.theme).toBe("light");
  });

  it("remembers the reader's choice over the system's", () => {
    const { theme, items, prefer } = createPage({ isDark: true });

    theme.toggle();
    prefer(true);

    expect(theme.scheme.value).toBe("light");
    expect(items.get("pyroscope-theme")).toBe("light");
  });

  it("does not trust what is stored", () => {
    expect(createPage({ stored: "neon", isDark: false }).theme.scheme.value).toBe("light");
  });
});
