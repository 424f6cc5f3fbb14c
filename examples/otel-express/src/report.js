/**
 * Customers with more than one order, in the order of their names.
 *
 * @param {{ customer: string }[]} orders
 */
export function listRepeatCustomers(orders) {
  return [...findRepeated(orders)].sort();
}

// The guilty one: it compares every order with every other.
function findRepeated(orders) {
  const repeated = new Set();
  for (const order of orders) {
    for (const other of orders) {
      if (other !== order && other.customer.localeCompare(order.customer) === 0) repeated.add(order.customer);
    }
  }
  return repeated;
}
