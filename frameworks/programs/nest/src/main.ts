import "reflect-metadata";
import { start } from "@pyroscope-ts/sdk-node";
import { expressLabels } from "@pyroscope-ts/sdk-node/http";

start({ applicationName: "shop" });

import { Controller, Get, Injectable, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { type Cart, closeShop, priceCart } from "./shop.js";

@Injectable()
class ShopService {
  price(cart: Cart): number {
    return priceCart(cart);
  }

  close(cart: Cart): number {
    return closeShop(cart);
  }
}

@Controller()
class ShopController {
  constructor(private readonly shop: ShopService) {}

  @Get("price")
  price(): { readonly total: number } {
    return { total: this.shop.price({ items: 1000 }) };
  }

  @Get("last")
  last(): { readonly total: number } {
    return { total: this.shop.close({ items: 1000 }) };
  }
}

@Module({ controllers: [ShopController], providers: [ShopService] })
class ShopModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(ShopModule, { logger: false });
  app.use(expressLabels());
  app.enableShutdownHooks();
  await app.listen(Number(process.env.PORT), "127.0.0.1");
}

void main();
