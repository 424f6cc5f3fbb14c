import { flush, start } from "@pyroscope-ts/sdk-node";
import { closeShop, priceCart } from "./shop";

start({ applicationName: "shop" });

export async function handler(event: { readonly path: string }): Promise<{ readonly total: number }> {
  try {
    const work = event.path === "/last" ? closeShop : priceCart;
    return { total: work({ items: 1000 }) };
  } finally {
    await flush({ timeoutMs: 5000 });
  }
}
