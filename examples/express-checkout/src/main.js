// The demo: a shop that profiles itself, and its own customers.
//
//     node src/main.js [--port 3000] [--slow-path] [--no-load]
//
// Profiles go to PYROSCOPE_SERVER_ADDRESS, http://127.0.0.1:4040 if that is not set.
import { parseArgs } from "node:util";
import { start, stop } from "@pyroscope-ts/sdk-node";
import { startLoad } from "./load.js";
import { createShop } from "./shop.js";

const REQUESTS_PER_SECOND = 40;

const { values: options } = parseArgs({
  options: {
    port: { type: "string", default: "3000" },
    "slow-path": { type: "boolean", default: false },
    "no-load": { type: "boolean", default: false },
  },
});

start({ applicationName: "express-checkout", uploadRate: "5s", tags: { version: "1.0.0" } });

const server = createShop({ slowPath: options["slow-path"] }).listen(
  Number(options.port),
  "127.0.0.1",
  (error) => {
    if (error) {
      console.error(`express-checkout: port ${options.port}: ${error.message}; choose another with --port`);
      process.exit(1);
    }
    const address = `http://127.0.0.1:${server.address().port}`;
    console.log(`express-checkout: listening on ${address}`);
    const load = options["no-load"]
      ? undefined
      : startLoad(address, { requestsPerSecond: REQUESTS_PER_SECOND });

    const shutDown = async () => {
      await load?.stop();
      server.close();
      server.closeAllConnections();
      await stop();
      process.exit(0);
    };
    process.once("SIGINT", shutDown);
    process.once("SIGTERM", shutDown);
  },
);
