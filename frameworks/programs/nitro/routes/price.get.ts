import { eventHandler } from "h3";
import { priceCart } from "../lib/shop";

export default eventHandler(() => ({ total: priceCart({ items: 1000 }) }));
