import { readdir, readFile } from "node:fs/promises";
import { createServer, request as forward } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser, openPage, startUiLab } from "./harness/ui-lab.ts";
import {
  CPU,
  drawShop,
  isBrowserMissing,
  MINUTE_MS,
  openShop,
  readRows,
  SECOND,
  type Shop,
  XSS_LABEL,
  XSS_NAME,
} from "./harness/ui-shop.ts";

describe.skipIf(isBrowserMissing)("every page", () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop();
  });
  afterAll(() => shop?.close());

  it("shows names that are markup as text", async () => {
    const { lab, browser, nowMs, addressOf } = shop;
    const labels = { service_name: "hostile", evil: XSS_LABEL };
    const stacks = [{ stack: [XSS_NAME, "</script>"], value: SECOND }];
    await lab.push([{ timeMs: nowMs - MINUTE_MS, labels, stacks }]);
    const params = { q: '{service_name="hostile"}', by: "evil" };
    const { page, problems } = await openPage(browser, addressOf(params));

    await page.getByRole("button", { name: XSS_NAME }).waitFor();
    expect(await readRows(page, "Functions")).toContain(XSS_NAME);
    await expect.poll(() => readRows(page, "Values by evil")).toEqual([XSS_LABEL]);
    await page.goto(addressOf({ ...params, page: "diff", s: XSS_NAME }));
    await page.getByText("Largest mover:").waitFor();

    expect(await page.evaluate("window.injected")).toBeUndefined();
    expect(await page.locator("img").count()).toBe(0);
    expect(problems).toEqual([]);
  });

  it("copies a link with its times pinned", async () => {
    const { lab, browser } = shop;
    const { page } = await openPage(browser, `${lab.url}/?page=flame&t=${CPU}&from=now-10m`);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);

    await page.getByRole("button", { name: "Copy link" }).click();
    await page.getByText("Link copied.").waitFor();

    const link = new URL(String(await page.evaluate("navigator.clipboard.readText()")));
    const lengthMs = Number(link.searchParams.get("until")) - Number(link.searchParams.get("from"));
    expect(lengthMs).toBe(10 * MINUTE_MS);
  });

  it("remembers the theme that was chosen", async () => {
    const { browser, addressOf } = shop;
    const { page } = await openPage(browser, addressOf({}));
    const theme = (): Promise<string | null> => page.locator("html").getAttribute("data-theme");
    expect(await theme()).toBe("light");

    await page.getByRole("button", { name: "Dark theme" }).click();
    expect(await theme()).toBe("dark");
    await page.reload();

    expect(await theme()).toBe("dark");
  });

  it("shows what arrived since, on refresh", async () => {
    const { lab, browser } = shop;
    const { page } = await openPage(browser, `${lab.url}/`);
    await page.getByRole("link", { name: "shop", exact: true }).waitFor();
    const labels = { service_name: "late-comer" };
    await lab.push([{ timeMs: Date.now(), labels, stacks: [{ stack: ["main"], value: SECOND }] }]);

    await page.getByRole("button", { name: "Refresh", exact: true }).click();

    await page.getByRole("link", { name: "late-comer", exact: true }).waitFor();
  });

  it("gives the numbers behind a chart as a table", async () => {
    const { browser, addressOf } = shop;
    const { page } = await openPage(browser, addressOf({}));

    await page.getByText("View as table").click();

    const cells = page.getByRole("table", { name: "CPU time over time, as a table" }).locator("td");
    expect(await cells.allTextContents()).toContain("1.03 cores");
  });

  it("loads within 80 kB of compressed scripts and styles", async () => {
    const assets = new URL("../packages/receiver/dist/ui/assets/", import.meta.url);
    const files = (await readdir(assets)).filter((name) => /\.(js|css)$/.test(name));

    const sizes = await Promise.all(
      files.map(async (name) => gzipSync(await readFile(new URL(name, assets))).length),
    );

    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(80 * 1024);
  });

  it("explains itself on ?", async () => {
    const { browser, addressOf } = shop;
    const { page } = await openPage(browser, addressOf({}));
    await page.getByRole("heading", { level: 1 }).waitFor({ state: "attached" });

    await page.keyboard.press("?");

    await page.getByRole("heading", { name: "Profile types" }).waitFor();
  });

  it.for(["flame", "diff", "overview"])("has room at 400 pixels: %s", async (name) => {
    const { browser, addressOf } = shop;
    const { page } = await openPage(browser, addressOf({ page: name, by: "route" }));
    await page.setViewportSize({ width: 400, height: 800 });

    await page.getByRole("table").first().waitFor();

    await expect
      .poll(() => page.evaluate("document.documentElement.scrollWidth"), { timeout: 5000 })
      .toBeLessThanOrEqual(400);
  });

  it("works under a path of a proxy", async () => {
    const { lab, browser, addressOf } = shop;
    const proxy = createServer((request, response) => {
      const path = (request.url ?? "").replace(/^\/profiles/, "");
      const upstream = forward(`${lab.url}${path}`, {
        method: request.method ?? "GET",
        headers: request.headers,
      });
      upstream.on("response", (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      request.pipe(upstream);
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = proxy.address() as AddressInfo;
      const { page, problems } = await openPage(
        browser,
        addressOf({}).replace(`${lab.url}/`, `http://127.0.0.1:${port}/profiles/`),
      );

      await page.getByRole("button", { name: "scanCatalogueSlowly" }).waitFor();

      expect(problems).toEqual([]);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });

  it("says where the data is when a range is empty", async () => {
    const { browser, addressOf } = shop;
    const { page } = await openPage(browser, addressOf({ from: "1000000000000", until: "1000003600000" }));

    await page.getByRole("button", { name: "Show the hour before it" }).click();

    await page.getByRole("button", { name: "scanCatalogueSlowly" }).waitFor();
  });

  it("shows the receiver's words for a selector that it refuses", async () => {
    const { browser, addressOf } = shop;
    const { page } = await openPage(browser, addressOf({ q: '{service_name=~"("}' }));

    await page.getByRole("alert").first().waitFor();
    await expect.poll(() => page.getByRole("progressbar").count()).toBe(0);

    // Once, with nothing left that looks like waiting, and without a button that would fail again.
    expect(await page.getByRole("alert").allTextContents()).toEqual([
      expect.stringContaining("Reading the flame graph:"),
    ]);
    expect(await page.locator(".timeline-blank, .flame-blank").count()).toBe(0);
    expect(await page.getByRole("button", { name: "Try again" }).count()).toBe(0);
  });

  it.for(["flame", "diff", "overview"])(
    "offers the last hour for a range that ends first: %s",
    async (name) => {
      const { browser, addressOf } = shop;
      const { page } = await openPage(browser, addressOf({ page: name, from: "now", until: "now-1h" }));

      await page.getByText("ends before it begins").waitFor();
      await page.getByRole("button", { name: "Last hour", exact: true }).click();

      await page.getByRole("table").first().waitFor();
    },
  );

  it("keeps services low, shares readable and badges whole at 400 pixels", async () => {
    const { browser, nowMs, addressOf } = shop;
    const heightOf = async (page: Page, selector: string): Promise<number> =>
      (await page.locator(selector).first().boundingBox())?.height ?? 0;
    const open = async (params: Readonly<Record<string, string>>): Promise<Page> => {
      const { page } = await openPage(browser, addressOf(params));
      await page.setViewportSize({ width: 400, height: 800 });
      await page.getByRole("table").first().waitFor();
      return page;
    };

    expect(await heightOf(await open({ page: "overview" }), ".service-table tbody tr")).toBeLessThan(150);
    const split = await open({ by: "route" });
    await split.locator(".group-table .measured-value").first().waitFor();
    expect(
      await split.evaluate(
        "getComputedStyle(document.querySelector('.group-table .measured-value')).position",
      ),
    ).toBe("relative");
    const diff = await open({
      page: "diff",
      "b.from": String(nowMs - 4 * MINUTE_MS),
      "b.until": String(nowMs),
    });
    const badge = (await diff.locator(".kind").first().boundingBox())!;
    const cell = (await diff.locator("th:has(.kind)").first().boundingBox())!;
    expect(badge.x + badge.width).toBeLessThanOrEqual(cell.x + cell.width);
  });
});

describe.skipIf(isBrowserMissing)("web UI of a receiver with tokens", () => {
  it("asks for the read token and goes on with it", async () => {
    const lab = await startUiLab(["--auth-token", "push=push-secret,read=read-secret"]);
    const browser = await launchBrowser();
    try {
      await lab.push(drawShop(Date.now()), "push-secret");
      const { page } = await openPage(browser, `${lab.url}/`);

      const enter = async (token: string): Promise<void> => {
        await page.getByLabel("Read token").last().fill(token);
        await page.getByRole("button", { name: "Continue" }).click();
      };
      await enter("no-secret");
      await page.getByText("That token was not accepted.").waitFor();
      await enter("push-secret");
      await page.getByText("This token may not read").waitFor();
      await enter("read-secret");
      await page.getByRole("link", { name: "shop", exact: true }).click();

      await page.getByRole("button", { name: "scanCatalogueSlowly" }).waitFor();
      expect(page.url()).not.toContain("secret");
    } finally {
      await browser.close();
      await lab.close();
    }
  });
});

describe.skipIf(isBrowserMissing)("web UI of an empty receiver", () => {
  it("says how to send the first profile", async () => {
    const lab = await startUiLab();
    const browser = await launchBrowser();
    try {
      const { page, problems } = await openPage(browser, `${lab.url}/`);

      await page.getByRole("heading", { name: "No profiles yet" }).waitFor();

      expect(await page.locator("pre").last().textContent()).toContain(`serverAddress: "${lab.url}"`);
      expect(problems).toEqual([]);
    } finally {
      await browser.close();
      await lab.close();
    }
  });
});
