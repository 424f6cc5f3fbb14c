import { describe, expect, it } from "vitest";
import { readDeclaredName } from "./declared-name.ts";

/** `|` is where the map says that the function begins. */
const read = (line: string) => readDeclaredName(line.replace("|", ""), line.indexOf("|"));

describe("readDeclaredName", () => {
  it.for([
    "|export function priceCart(cart: Cart): number {",
    "export default |async function priceCart(cart) {",
    "export |function* priceCart<T>(cart: T) {",
    "function |priceCart(cart) {",
    "async function |priceCart<T extends Cart>(cart: T) {",
    "function priceCart|(cart) {",
    "function priceCart<T extends Cart>(|cart: T) {",
    "const priceCart = |(cart) => cart.total;",
    "export const priceCart = async (|cart) => cart.total;",
    "let priceCart: Pricing = |function (cart) {",
    "  var priceCart = |cart => cart.total;",
  ])("knows %s", (line) => {
    expect(read(line)).toBe("priceCart");
  });

  it.for([
    "export default eventHandler(|() => priceCart());",
    "const totals = carts.map(|(cart) => priceCart(cart));",
    "const total = sum(1) + (|(cart) => cart)(2);",
    "if (isFunction) |() => 1;",
    "  |price(cart) {",
    "|",
  ])("gives no name to %s", (line) => {
    expect(read(line)).toBeUndefined();
  });
});
