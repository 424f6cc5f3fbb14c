import { priceCart } from "../../lib/shop";

export const dynamic = "force-dynamic";

export function GET(): Response {
  return Response.json({ total: priceCart({ items: 1000 }) });
}
