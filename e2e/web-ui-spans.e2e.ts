import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DrawnProfile, launchBrowser, openPage, startUiLab, type UiLab } from "./harness/ui-lab.ts";
import {
  CPU,
  isBrowserMissing,
  MINUTE_MS,
  readParam,
  readRows,
  SECOND,
  XSS_NAME,
} from "./harness/ui-shop.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const CHECKOUT_SPAN = "00f067aa0ba902b7";

/** Ten minutes of two services: one slow request that both answer, many small ones, and work that belongs to none. */
function drawRequests(nowMs: number): DrawnProfile[] {
  const labelsOf = (name: string, span: string, trace: string) => ({
    span_id: span,
    trace_id: trace,
    span_name: name,
  });
  const id = (value: number, length: number): string => value.toString(16).padStart(length, "0");
  const small = Array.from({ length: 40 }, (_, i): DrawnProfile => {
    const labels = labelsOf(i % 4 === 0 ? XSS_NAME : "GET /cart", id(i + 1, 16), id(i + 1, 32));
    return {
      timeMs: nowMs - 9 * MINUTE_MS + i * 13_000,
      labels: { service_name: "shop" },
      stacks: [
        { stack: ["main", "handleCart", "renderCart"], value: ((i % 7) + 1) * 20_000_000, labels },
        { stack: ["main", "collectGarbage"], value: 30_000_000 },
      ],
    };
  });
  const timeMs = nowMs - 3 * MINUTE_MS;
  const slow = labelsOf("POST /checkout", CHECKOUT_SPAN, TRACE);
  return [
    ...small,
    {
      timeMs,
      labels: { service_name: "shop" },
      stacks: [
        { stack: ["main", "handleCheckout", "scanCatalogueSlowly"], value: 0.9 * SECOND, labels: slow },
        { stack: ["main", "handleCheckout", "computeTax"], value: 0.1 * SECOND, labels: slow },
      ],
    },
    {
      timeMs: timeMs + 30_000,
      labels: { service_name: "shop" },
      stacks: [
        { stack: ["main", "handleCheckout", "scanCatalogueSlowly"], value: 0.5 * SECOND, labels: slow },
      ],
    },
    {
      timeMs,
      labels: { service_name: "stock" },
      stacks: [
        {
          stack: ["main", "countStock"],
          value: 0.4 * SECOND,
          labels: labelsOf("GET /stock", "00000000000000aa", TRACE),
        },
      ],
    },
  ];
}

describe.skipIf(isBrowserMissing)("spans page", () => {
  let lab: UiLab;
  let browser: Browser;
  const nowMs = Date.now();
  beforeAll(async () => {
    const traceUrl = "https://traces.example.com/{service}/{traceId}?at={from}";
    [lab, browser] = await Promise.all([startUiLab(["--trace-url", traceUrl]), launchBrowser()]);
    await lab.push(drawRequests(nowMs));
  });
  afterAll(async () => {
    await browser?.close();
    await lab?.close();
  });

  const addressOf = (params: Readonly<Record<string, string>>): string => {
    const range = { from: String(nowMs - 10 * MINUTE_MS), until: String(nowMs) };
    return `${lab.url}/?${new URLSearchParams({ t: CPU, ...range, ...params })}`;
  };
  const SHOP = { page: "spans", q: '{service_name="shop"}' };
  const totals = (page: Page): Promise<string[]> =>
    page.locator(".span-flame .profile-total b").allTextContents();

  it("ranks names and spans, draws the spans as points, and says how much has ids", async () => {
    const { page, problems } = await openPage(browser, addressOf(SHOP));

    // 40 small ones of 3.1 s together, 1.5 s of the slow one, 1.2 s of garbage.
    await page.getByText("79.3 % of CPU time carries span ids: 4.6 s of 5.8 s, in 41 spans.").waitFor();
    expect(await readRows(page, "Spans by name")).toEqual(["GET /cart", "POST /checkout", XSS_NAME]);
    const spans = await readRows(page, "Slowest spans");
    expect([spans[0], spans.length]).toEqual(["POST /checkout", 41]);
    expect(await page.locator(".span-point").count()).toBe(41);
    expect(await page.evaluate("window.injected")).toBeUndefined();
    expect(problems).toEqual([]);
  });

  it("shows a span beside its service, picked by point or by keys, and undone by going back", async () => {
    const { page, problems } = await openPage(browser, addressOf(SHOP));
    const row = page.getByRole("button", { name: "POST /checkout" }).last();
    await row.waitFor();

    await row.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "This span: POST /checkout" }).waitFor();
    await expect.poll(() => totals(page)).toEqual(["1.5 s", "5.8 s"]);
    expect(readParam(page, "span_id")).toBe(CHECKOUT_SPAN);

    await page.goBack();
    await expect.poll(() => page.locator(".span-flame").count()).toBe(0);
    // Drawn last, on top of the others.
    await page.locator(".span-point circle").last().click();
    await expect.poll(() => readParam(page, "span_id")).toBe(CHECKOUT_SPAN);
    expect(problems).toEqual([]);
  });

  it("focuses a frame in both flame graphs at once", async () => {
    const { page } = await openPage(browser, addressOf({ ...SHOP, span_id: CHECKOUT_SPAN }));
    const graphs = page.getByRole("application");
    await expect.poll(() => graphs.count()).toBe(2);

    await graphs.first().focus();
    for (const key of ["ArrowDown", "ArrowDown", "Enter"]) await page.keyboard.press(key);

    const focused = page.locator(".crumb[aria-current]");
    await expect.poll(() => focused.allTextContents()).toEqual(["handleCheckout", "handleCheckout"]);
  });

  it("opens a tracing program's link to a trace, split by service, and links back to it", async () => {
    const { page, problems } = await openPage(browser, addressOf({ trace_id: TRACE }));

    await page.getByText("2 services").waitFor();
    const services = page.getByRole("table", { name: "Spans by name" }).locator(".span-service");
    expect(await services.allTextContents()).toEqual(["shop", "stock"]);
    await page.getByRole("heading", { name: "This trace" }).waitFor();
    await expect.poll(() => totals(page)).toEqual(["1.9 s", "6.2 s"]);
    const link = page.getByRole("link", { name: `Open trace ${TRACE} in a new tab` }).first();
    const first = nowMs - 3 * MINUTE_MS;
    expect(await link.getAttribute("href")).toBe(`https://traces.example.com/shop/${TRACE}?at=${first}`);
    expect(await link.getAttribute("rel")).toBe("noopener noreferrer");

    await page.getByRole("button", { name: `Remove filter trace = ${TRACE}` }).click();
    await expect.poll(() => readRows(page, "Slowest spans")).toHaveLength(42);
    expect(problems).toEqual([]);
  });

  it("finds the spans behind a frame of the flame graph", async () => {
    const { page } = await openPage(browser, addressOf({ page: "flame", q: '{service_name="shop"}' }));
    const graph = page.getByRole("application");
    await graph.waitFor();
    await graph.focus();
    // To main, and to its widest callee's own.
    for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.locator(".crumb[aria-current]").getByText("renderCart").waitFor();

    await page.getByRole("link", { name: "Spans behind it" }).click();

    await page.getByRole("button", { name: "Remove filter function = renderCart" }).waitFor();
    expect(readParam(page, "fn")).toBe("renderCart");
    await expect.poll(() => readRows(page, "Spans by name")).toEqual(["GET /cart", XSS_NAME]);
    await page.getByText("100.0 % of CPU time carries span ids").waitFor();
  });

  it("says in the receiver's words why an id is none, and what to do where no sample has ids", async () => {
    const { page } = await openPage(browser, addressOf({ trace_id: "<b>x" }));
    await page.getByText('invalid trace id length: "<b>x"').first().waitFor();

    const labels = { service_name: "plain" };
    await lab.push([{ timeMs: nowMs - MINUTE_MS, labels, stacks: [{ stack: ["main"], value: SECOND }] }]);
    await page.goto(addressOf({ page: "spans", q: '{service_name="plain"}' }));

    await page.getByText("No sample here belongs to a span.").waitFor();
  });

  it("has room at 400 pixels", async () => {
    const { page } = await openPage(browser, addressOf({ ...SHOP, span_id: CHECKOUT_SPAN }));
    await page.setViewportSize({ width: 400, height: 800 });
    await expect.poll(() => page.getByRole("application").count()).toBe(2);

    await expect
      .poll(() =>
        page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"),
      )
      .toBe(0);
  });

  it("leaves ids behind on the way to another page", async () => {
    const { page } = await openPage(browser, addressOf({ trace_id: TRACE }));

    await page.getByRole("link", { name: "Profile", exact: true }).click();

    await page.getByRole("region", { name: "Timeline" }).waitFor();
    expect([readParam(page, "trace_id"), readParam(page, "page")]).toEqual([null, "flame"]);
  });
});
