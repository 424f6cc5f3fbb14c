/**
 * What a cart costs. `findBestDiscount` is the planted slow path: with the slow path on it tries every pair of
 * coupons on every line of the cart, which is what a "temporary" loop does to a shop in production.
 */

const COUPON_COUNT = 700;

const coupons = Array.from({ length: COUPON_COUNT }, (_, index) => ({
  code: `SAVE-${index}`,
  percent: (index * 7) % 23,
  minimumCents: (index * 131) % 9000,
}));

/**
 * @param {readonly { cents: number, quantity: number }[]} lines
 * @param {{ slowPath: boolean }} options
 * @returns {{ subtotalCents: number, discountCents: number, totalCents: number }}
 */
export function priceCart(lines, { slowPath }) {
  const subtotalCents = sumLines(lines);
  const discountCents = slowPath ? findBestDiscount(lines) : lookUpDiscount(subtotalCents);
  return { subtotalCents, discountCents, totalCents: subtotalCents - discountCents };
}

function sumLines(lines) {
  let cents = 0;
  for (const line of lines) cents += line.cents * line.quantity;
  return cents;
}

function lookUpDiscount(subtotalCents) {
  const best = coupons.find((coupon) => coupon.minimumCents <= subtotalCents);
  return best === undefined ? 0 : Math.floor((subtotalCents * best.percent) / 100);
}

function findBestDiscount(lines) {
  let best = 0;
  for (const line of lines) {
    const cents = line.cents * line.quantity;
    for (const first of coupons) {
      for (const second of coupons) {
        if (first.minimumCents + second.minimumCents > cents + best) continue;
        const discount = Math.floor((cents * (first.percent + second.percent)) / 100);
        if (discount > best && first.code !== second.code) best = discount;
      }
    }
  }
  return best;
}
