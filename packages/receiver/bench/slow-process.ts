// A process of its own with slow clients, so that whoever is measured beside them has an event loop to himself:
// node slow-process.ts ADDRESS COUNTS-AS-JSON. Prints "open", then "closed".
import { openSlowClients, type SlowClientCounts } from "../../../e2e/harness/slow-clients.ts";

const [address = "", counts = "{}"] = process.argv.slice(2);
const slow = await openSlowClients(address, JSON.parse(counts) as SlowClientCounts);
process.stdout.write("open\n");
await slow.closed;
process.stdout.write("closed\n");
