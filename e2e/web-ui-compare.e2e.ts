import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPage } from "./harness/ui-lab.ts";
import { isBrowserMissing, MINUTE_MS, openShop, readParam, readRows, type Shop } from "./harness/ui-shop.ts";

describe.skipIf(isBrowserMissing)("comparison page", () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop();
  });
  afterAll(() => shop?.close());

  it("names the largest mover between two ranges", async () => {
    const { browser, addressOf } = shop;
    const { page, problems } = await openPage(browser, addressOf({ page: "diff" }));

    await page.getByText("Largest mover:").waitFor();

    expect(await page.locator(".verdict-name").textContent()).toBe("scanCatalogueSlowly");
    const [first] = await readRows(page, "What changed, largest first");
    expect(first).toMatch(/^scanCatalogueSlowly/);
    expect(problems).toEqual([]);
  });

  it("moves a range of the comparison by its handle and by brushing", async () => {
    const { browser, addressOf } = shop;
    const { page } = await openPage(browser, addressOf({ page: "diff" }));
    const handle = page.getByRole("slider", { name: "A until" });
    await handle.waitFor();
    const beforeMs = Number(await handle.getAttribute("aria-valuenow"));

    await handle.focus();
    await page.keyboard.press("ArrowLeft");
    await expect.poll(async () => Number(await handle.getAttribute("aria-valuenow"))).toBeLessThan(beforeMs);
    expect(readParam(page, "b.from")).not.toBeNull();

    const box = (await page.locator(".u-over").boundingBox())!;
    await page.getByRole("button", { name: "B", exact: true }).click();
    await page.mouse.move(box.x + box.width * 0.7, box.y + box.height * 0.4);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.9, box.y + box.height * 0.4, { steps: 4 });
    await page.mouse.up();
    const lengthMs = (): number => Number(readParam(page, "b.until")) - Number(readParam(page, "b.from"));
    await expect.poll(() => lengthMs() / MINUTE_MS).toBeCloseTo(2, 0);
    await expect.poll(() => page.locator(".verdict-name").textContent()).toBe("scanCatalogueSlowly");
  });

  it("halves the part of the range that has profiles", async () => {
    const { browser, nowMs, addressOf } = shop;
    const from = String(nowMs - 60 * MINUTE_MS);
    const { page, problems } = await openPage(browser, addressOf({ page: "diff", from }));

    await page.getByText("Largest mover:").waitFor();

    expect(await page.locator(".verdict-name").textContent()).toBe("scanCatalogueSlowly");
    expect(await page.getByText("has no profiles").count()).toBe(0);
    expect(problems).toEqual([]);
  });

  it("says which side has no profiles, and calls nothing new beside it", async () => {
    const { browser, nowMs, addressOf } = shop;
    const sides = {
      "a.from": String(nowMs - 50 * MINUTE_MS),
      "a.until": String(nowMs - 40 * MINUTE_MS),
      "b.from": String(nowMs - 10 * MINUTE_MS),
      "b.until": String(nowMs),
    };
    const { page } = await openPage(browser, addressOf({ page: "diff", ...sides }));

    await page.getByText("A has no profiles: drag its band.").waitFor();
    await page.getByRole("button", { name: "scanCatalogueSlowly" }).waitFor();

    expect(await page.locator(".kind").count()).toBe(0);
  });

  it("compares two queries", async () => {
    const { browser, nowMs, addressOf } = shop;
    const sides = {
      "a.q": '{service_name="shop",route="/cart"}',
      "b.q": '{service_name="shop",route="/checkout"}',
    };
    const range = { "a.from": String(nowMs - 10 * MINUTE_MS), "a.until": String(nowMs - 5 * MINUTE_MS) };
    const other = { "b.from": range["a.from"], "b.until": range["a.until"] };
    const { page } = await openPage(browser, addressOf({ page: "diff", ...sides, ...range, ...other }));

    await page.getByText("Largest mover:").waitFor();

    expect(await page.locator(".verdict-name").textContent()).toBe("computeTax");
  });
});
