import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";

// A request takes 0.1 to 0.3 ms of this thread: so many are a millisecond or two, after which others have their turn, such as
// results of the storage thread, of which a push takes several.
const REQUESTS_IN_A_TURN = 8;

interface WaitingRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  isClosed: boolean;
}

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
  const waiting: WaitingRequest[] = [];
  let servedCount = 0;
  let isTurnPlanned = false;

  const planTurn = (): void => {
    if (isTurnPlanned) return;
    isTurnPlanned = true;
    setImmediate(takeTurn);
  };

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    servedCount++;
    planTurn();
    listener(request, response);
  };

  const takeTurn = (): void => {
    isTurnPlanned = false;
    servedCount = 0;
    for (const { request, response, isClosed } of waiting.splice(0, REQUESTS_IN_A_TURN)) {
      if (!isClosed) serve(request, response);
    }
    if (waiting.length > 0) planTurn();
  };

  return (request, response) => {
    if (servedCount < REQUESTS_IN_A_TURN && waiting.length === 0) {
      serve(request, response);
      return;
    }
    const place: WaitingRequest = { request, response, isClosed: false };
    // Whoever has left is not served: there is nobody to answer, and nobody would see the end of it.
    response.once("close", () => {
      place.isClosed = true;
    });
    waiting.push(place);
  };
}
