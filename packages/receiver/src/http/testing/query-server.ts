import type { FastifyInstance } from "fastify";
import {
  createQueryFixture,
  nanosAt,
  type QueryFixture,
  spreadable,
  T0,
} from "../../query/testing/query-fixture.ts";
import { CPU_TYPE, type TableStore } from "../../query/testing/table-store.ts";
import { createTestApp } from "../../testing/create-test-app.ts";

/** A second from {@link T0} on, as messages say it: int64 as text or as number. */
export const RANGE = { start: String(T0), end: T0 + 1000 };
/** Everything of that second. */
export const SELECTION = { ...RANGE, profile_typeID: CPU_TYPE, labelSelector: "{}" };
/** Trace of the second stack of {@link addTwoStacks}. */
export const TRACE = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736";

/** The whole server over a store that a test fills. */
export interface QueryServer {
  readonly app: FastifyInstance;
  readonly fixture: QueryFixture;
  /** Calls a method of querier.v1 in Connect's JSON form. */
  call(method: string, message: object, headers?: Readonly<Record<string, string>>): Promise<CallResult>;
  close(): Promise<void>;
}

interface CallResult {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes; tests compare what they name.
  readonly body: any;
}

/** Makes a server with an empty store. */
export async function createQueryServer(flags: Readonly<Record<string, string>> = {}): Promise<QueryServer> {
  const fixture = await createQueryFixture();
  const { app } = await createTestApp({ storage: spreadable(fixture.queries), flags });
  return {
    app,
    fixture,
    async call(method, message, headers = {}) {
      const response = await app.inject({
        method: "POST",
        url: `/querier.v1.QuerierService/${method}`,
        headers: { "content-type": "application/json", ...headers },
        payload: JSON.stringify(message),
      });
      return { status: response.statusCode, headers: response.headers, body: response.json() };
    },
    async close() {
      await app.close();
      await fixture.store.close();
    },
  };
}

/** `a;b` = 1 with a span and `env`, `a;c` = 2 with a trace and a label that is not a classic name. */
export async function addTwoStacks(store: TableStore): Promise<void> {
  await store.add([
    { timeUnixNanos: nanosAt(1), labels: { env: "prod" }, stacks: { "a;b@x.js:3": 1 }, spanId: 7n },
    { timeUnixNanos: nanosAt(2), labels: { "otel.scope.name": "sdk" }, stacks: { "a;c": 2 }, traceId: TRACE },
  ]);
}
