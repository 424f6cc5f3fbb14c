import type { Browser, Page } from "playwright-core";
import { chromiumPath } from "./processes.ts";
import { type DrawnProfile, launchBrowser, startUiLab, type UiLab } from "./ui-lab.ts";

export const MINUTE_MS = 60_000;
/** In the unit of CPU values. */
export const SECOND = 1_000_000_000;
export const CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
export const XSS_NAME = '<img src=x onerror="window.injected=1">';
export const XSS_LABEL = '"><script>window.injected=1</script>';

/** Without a browser there is nothing to test, except in CI, where its absence must fail. */
export const isBrowserMissing: boolean = chromiumPath === undefined && process.env.CI === undefined;

/** Ten minutes of a shop: in the last four its checkout takes a slow path. */
export function drawShop(nowMs: number): DrawnProfile[] {
  return Array.from({ length: 10 }, (_, minute) => minute).flatMap((minute) => {
    const timeMs = nowMs - (10 - minute) * MINUTE_MS + 5000;
    const slow = { stack: ["main", "handleCheckout", "scanCatalogueSlowly"], value: 9 * SECOND };
    return [
      {
        timeMs,
        labels: { service_name: "shop", route: "/checkout" },
        stacks: [
          { stack: ["main", "handleCheckout", "computeTax@10"], value: 2 * SECOND },
          { stack: ["main", "handleCheckout", "computeTax@20"], value: SECOND },
          ...(minute >= 6 ? [slow] : []),
        ],
      },
      {
        timeMs,
        labels: { service_name: "shop", route: "/cart" },
        stacks: [
          { stack: ["main", "handleCart", "renderCart"], value: 3 * SECOND },
          { stack: ["main", "handleCart", XSS_NAME], value: SECOND / 2 },
        ],
      },
    ];
  });
}

/** A receiver that holds the shop's profiles, and a browser. */
export interface Shop {
  readonly lab: UiLab;
  readonly browser: Browser;
  /** When the ten minutes end. */
  readonly nowMs: number;
  /** Address of the shop's CPU profile, with other parameters. */
  readonly addressOf: (params: Readonly<Record<string, string>>) => string;
  readonly close: () => Promise<void>;
}

/** Starts a receiver and a browser, and pushes what {@link drawShop} draws. */
export async function openShop(): Promise<Shop> {
  const [lab, browser] = await Promise.all([startUiLab(), launchBrowser()]);
  const nowMs = Date.now();
  await lab.push(drawShop(nowMs));
  const range = { from: String(nowMs - 10 * MINUTE_MS), until: String(nowMs) };
  const shared = { page: "flame", q: '{service_name="shop"}', t: CPU, ...range };
  return {
    lab,
    browser,
    nowMs,
    addressOf: (params) => `${lab.url}/?${new URLSearchParams({ ...shared, ...params })}`,
    close: async () => {
      await browser.close();
      await lab.close();
    },
  };
}

/** First cells of a table's rows. */
export function readRows(page: Page, table: string): Promise<string[]> {
  return page.getByRole("table", { name: table }).locator("tbody tr th").allTextContents();
}

/** A parameter of the page's address. */
export function readParam(page: Page, name: string): string | null {
  return new URL(page.url()).searchParams.get(name);
}
