import { eventHandler } from "h3";
import { closeShop } from "../lib/shop";

export default eventHandler(() => ({ total: closeShop({ items: 1000 }) }));
