// A process that answers and does nothing else, so that it is known what of a delay is the machine's: prints its address.
// `/` answers at once, `/lag` how late its event loop was at most since that was last asked, in milliseconds.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";

// As the receiver measures its own.
const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();
const server = createServer((request, response) => {
  response.end(request.url === "/lag" ? String(delay.max / 1e6) : "ok\n");
  if (request.url === "/lag") delay.reset();
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
