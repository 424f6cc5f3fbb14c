export interface Cart {
  readonly items: number;
}

// Types and comments are not in what runs: its line is another one there.

/** What every program burns CPU time with while it serves requests. */
export function priceCart(cart: Cart): number {
  const end = performance.now() + 40;
  let total = 0;
  while (performance.now() < end) for (let i = 0; i < cart.items; i++) total += Math.sqrt(i);
  return total;
}

/** What every program burns CPU time with just before it ends. */
export function closeShop(cart: Cart): number {
  const end = performance.now() + 400;
  let total = 0;
  while (performance.now() < end) for (let i = 0; i < cart.items; i++) total += Math.cbrt(i);
  return total;
}
