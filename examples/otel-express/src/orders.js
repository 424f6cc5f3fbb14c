/** Orders as a database would have them: a few customers order often, most once. */
export function makeOrders(count) {
  return Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    customer: `customer-${index % 10 === 0 ? index % 700 : index}@example.com`,
    cents: 500 + ((index * 37) % 20_000),
  }));
}

/** @param {{ customer: string }[]} orders */
export function sortByCustomer(orders) {
  return orders.toSorted((left, right) => left.customer.localeCompare(right.customer));
}

/** @param {{ cents: number }[]} orders */
export function totalOf(orders) {
  return orders.reduce((sum, { cents }) => sum + cents, 0);
}
