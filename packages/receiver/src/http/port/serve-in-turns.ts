import type { RequestListener } from "node:http";
import { createTurns } from "./turns.ts";

// A request takes 0.1 to 0.3 ms of this thread: so many are a millisecond or two, after which others have their turn, such as
// results of the storage thread, of which a push takes several.
const REQUESTS_IN_A_TURN = 8;

/**
 * Serves a bounded number of requests with a body, and of those without one, in each turn of the event loop, first come, first
 * served. So health checks and pages do not wait for pushes.
 *
 * The event loop reads a thousand connections in a turn, and another thousand if these have sent something meanwhile: while
 * more was pushed than could be stored, single turns took 1.5 s, and everybody waited for their end.
 */
export function serveInTurns(listener: RequestListener): RequestListener {
  const serveWithBody = createLane(listener);
  const serveWithoutBody = createLane(listener);
  return (request, response) => {
    const hasBody = request.method !== "GET" && request.method !== "HEAD";
    (hasBody ? serveWithBody : serveWithoutBody)(request, response);
  };
}

function createLane(listener: RequestListener): RequestListener {
  const inTurn = createTurns(REQUESTS_IN_A_TURN);
  return (request, response) => {
    // Whoever has left is not served: there is nobody to answer, and nobody would see the end of it.
    let isClosed = false;
    response.once("close", () => {
      isClosed = true;
    });
    inTurn(() => {
      if (!isClosed) listener(request, response);
    });
  };
}
