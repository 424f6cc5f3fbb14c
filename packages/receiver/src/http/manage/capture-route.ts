import type { FastifyPluginAsync } from "fastify";
import { ReceiverError } from "../../errors.ts";
import { getRequestContext } from "../request-context.ts";
import { requireOneTenant } from "../tenants.ts";
import type { CaptureKind, CaptureOrders, CaptureTarget } from "../write/capture-orders.ts";
import { ORDER_LIFETIME_MS } from "../write/capture-orders.ts";

// Names are label values, which are far shorter.
const BODY_LIMIT_BYTES = 64 * 1024;

// What the SDK takes.
const MAX_SECONDS = 60;

const KINDS: readonly CaptureKind[] = ["cpu", "allocations"];

/**
 * `POST /api/v1/captures` with `{"service": "shop", "kind": "cpu", "seconds": 10}`: asks a program for CPU samples at 1 kHz
 * or for all of its allocations. The first process of the service that pushes and has `remoteCapture` on takes the order;
 * `"session"`, a `__session_id__`, names one. The answer has the value of the label `capture` under which the profiles come.
 */
export const captureRoute: FastifyPluginAsync<{ readonly orders: CaptureOrders }> = async (
  app,
  { orders },
) => {
  app.post("/api/v1/captures", { bodyLimit: BODY_LIMIT_BYTES }, async (request, reply) => {
    const { target, kind, seconds } = readOrder(request.body);
    const order = orders.place(requireOneTenant(getRequestContext(request).tenants), target, kind, seconds);
    if (order === undefined) {
      throw new ReceiverError("order a capture: 100 orders wait already, try again in some minutes", {
        code: "RESOURCE_EXHAUSTED",
      });
    }
    return reply
      .code(202)
      .send({ ...order, service: target.service, waitsSeconds: ORDER_LIFETIME_MS / 1000 });
  });
};

function readOrder(body: unknown): {
  readonly target: CaptureTarget;
  readonly kind: CaptureKind;
  readonly seconds: number;
} {
  const fields: Readonly<Record<string, unknown>> =
    typeof body === "object" && body !== null ? { ...body } : {};
  const { service, session, seconds } = fields;
  const kind = KINDS.find((known) => known === fields.kind);
  if (typeof service !== "string" || service === "") throw refuse("service", service, "its service_name");
  if (kind === undefined) throw refuse("kind", fields.kind, KINDS.join(" or "));
  if (typeof seconds !== "number" || !(seconds >= 1 && seconds <= MAX_SECONDS))
    throw refuse("seconds", seconds, `1 to ${MAX_SECONDS}`);
  if (session !== undefined && typeof session !== "string")
    throw refuse("session", session, "the __session_id__ of a process, or nothing");
  return { target: { service, session }, kind, seconds };
}

function refuse(name: string, value: unknown, expected: string): ReceiverError {
  const text = (JSON.stringify(value) ?? "undefined").slice(0, 100);
  return new ReceiverError(`order a capture: ${name}=${text}: expected ${expected}`, {
    code: "INVALID_ARGUMENT",
  });
}
