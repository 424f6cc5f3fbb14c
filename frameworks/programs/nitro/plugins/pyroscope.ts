import { start } from "@pyroscope-ts/sdk-node";

export default () => start({ applicationName: "shop" });
