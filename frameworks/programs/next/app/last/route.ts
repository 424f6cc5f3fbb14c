import { closeShop } from "../../lib/shop";

export const dynamic = "force-dynamic";

export function GET(): Response {
  return Response.json({ total: closeShop({ items: 1000 }) });
}
