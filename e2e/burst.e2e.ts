import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DrawnProfile, launchBrowser, openPage, startUiLab, type UiLab } from "./harness/ui-lab.ts";
import { CPU, isBrowserMissing, MINUTE_MS, readRows, SECOND } from "./harness/ui-shop.ts";

const WINDOW_MS = 15_000;
const TOTAL_MINUTES = 30;
const BURST_FROM_MINUTE = 17;
const BURST_MINUTES = 2;

/** Half an hour of a program at a push every 15 s; for two minutes of it a retry loop burns CPU beside everything else. */
function drawBurst(startMs: number): DrawnProfile[] {
  const windows = (TOTAL_MINUTES * MINUTE_MS) / WINDOW_MS;
  return Array.from({ length: windows }, (_, index) => {
    const minute = (index * WINDOW_MS) / MINUTE_MS;
    const isBurst = minute >= BURST_FROM_MINUTE && minute < BURST_FROM_MINUTE + BURST_MINUTES;
    return {
      timeMs: startMs + index * WINDOW_MS,
      labels: { service_name: "ledger" },
      stacks: [
        { stack: ["main", "bookEntries"], value: 4 * SECOND + (index % 5) * 0.2 * SECOND },
        { stack: ["main", "renderReport"], value: 2 * SECOND },
        ...(isBurst ? [{ stack: ["main", "bookEntries", "retryForEver"], value: 3 * SECOND }] : []),
      ],
    };
  });
}

describe.skipIf(isBrowserMissing)("a burst of two minutes", () => {
  let lab: UiLab;
  let browser: Browser;
  let startMs: number;

  beforeAll(async () => {
    [lab, browser] = await Promise.all([startUiLab(), launchBrowser()]);
    startMs = Date.now() - TOTAL_MINUTES * MINUTE_MS;
    await lab.push(drawBurst(startMs));
  });

  afterAll(async () => {
    await browser?.close();
    await lab?.close();
  });

  it("is first in the list of changes after it was brushed on the timeline", async () => {
    const range = { from: String(startMs), until: String(startMs + TOTAL_MINUTES * MINUTE_MS) };
    const view = new URLSearchParams({ page: "diff", q: '{service_name="ledger"}', t: CPU, ...range });
    const { page } = await openPage(browser, `${lab.url}/?${view}`);

    await page.getByRole("button", { name: "B", exact: true }).click();
    await brush(page, BURST_FROM_MINUTE / TOTAL_MINUTES, (BURST_FROM_MINUTE + BURST_MINUTES) / TOTAL_MINUTES);
    await page.getByRole("button", { name: "Previous period" }).click();

    await expect.poll(() => page.locator(".verdict-name").textContent()).toBe("retryForEver");
    const [first] = await readRows(page, "What changed, largest first");
    expect(first).toMatch(/^retryForEver/);
  });
});

/** Drags over the timeline, from and to these parts of its width. */
async function brush(page: Page, from: number, to: number): Promise<void> {
  const timeline = page.locator(".u-over");
  await timeline.waitFor();
  const box = await timeline.boundingBox();
  if (box === null) throw new Error("the timeline is not drawn");
  const y = box.y + box.height * 0.4;
  await page.mouse.move(box.x + box.width * from, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * to, y, { steps: 5 });
  await page.mouse.up();
}
