import { describe, expect, it } from "vitest";
import { pinView } from "./pin-view.ts";
import { parseViewState } from "./url-state.ts";

const NOW = 1_700_000_000_000;

describe("pinView", () => {
  it("makes every relative time absolute and stops refreshing", () => {
    const view = { ...parseViewState("?refresh=30"), rightFrom: "now-10m", rightUntil: "now" };

    expect(pinView(view, NOW)).toMatchObject({
      from: String(NOW - 3_600_000),
      until: String(NOW),
      refreshSeconds: 0,
      rightFrom: String(NOW - 600_000),
      rightUntil: String(NOW),
      leftFrom: "",
      leftUntil: "",
    });
  });

  it("leaves what is pinned", () => {
    const view = parseViewState(`?from=${NOW - 5}&until=${NOW}`);

    expect(pinView(view, NOW + 1_000_000)).toEqual(view);
  });
});
