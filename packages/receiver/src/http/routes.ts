import {
  AdHocProfileService,
  FeatureFlagsService,
  Health,
  ProfilesService,
  PusherService,
  QuerierService,
  RecordingRulesService,
  SettingsService,
  StatusService,
  Version,
} from "@pyroscope-ts/protocol/messages";
import { missingServices } from "./missing-services.ts";

/**
 * Who may use a route when tokens are set.
 *
 * - `open`: anyone; such a route holds no data.
 * - `push`, `read`: a token of that role.
 * - `admin`: a token of that role; it changes what others have pushed.
 * - `any`: a token of any role.
 */
export type RoutePolicy = "open" | "push" | "read" | "admin" | "any";

/** One path of the server. */
export interface RouteRow {
  /** Fastify's syntax: `*` at the end matches the rest. */
  readonly path: string;
  /** Every other method is answered 405. GET includes HEAD. */
  readonly method: "GET" | "POST";
  readonly policy: RoutePolicy;
  /** `connect`: Connect, gRPC and gRPC-Web answer in their own form; `page`: the web UI, whose views are query strings; `asset`: a file of it. */
  readonly kind: "rest" | "connect" | "page" | "asset";
}

interface ServiceRow {
  readonly service: { readonly typeName: string; readonly methods: readonly { readonly name: string }[] };
  readonly policy: RoutePolicy;
}

/** The services of Connect and gRPC, and who may call them. */
const services: readonly ServiceRow[] = [
  { service: PusherService, policy: "push" },
  { service: ProfilesService, policy: "push" },
  { service: QuerierService, policy: "read" },
  // What pages keep is theirs who look at pages.
  { service: SettingsService, policy: "read" },
  // A rule is kept as a setting is, and shows nothing that who may read does not see.
  { service: RecordingRulesService, policy: "read" },
  { service: AdHocProfileService, policy: "read" },
  { service: FeatureFlagsService, policy: "any" },
  { service: Version, policy: "any" },
  { service: StatusService, policy: "any" },
  { service: Health, policy: "open" },
];

/** Full names of the services, as health checks name them. */
export const connectServiceNames: readonly string[] = services.map(({ service }) => service.typeName);

/**
 * Every path that the server answers. A handler that registers any other path stops the start of the server, and so does
 * a row without a handler; what is not here is 404.
 */
export const routes: readonly RouteRow[] = [
  get("/ready", "open"),
  get("/healthz", "open"),
  get("/metrics", "any"),
  get("/api/v1/status/buildinfo", "any"),
  get("/api/v1/status/config", "any"),
  get("/api/v1/status/config/diff", "any"),
  get("/api/v1/status/config/default", "any"),
  post("/ingest", "push"),
  post("/pyroscope/ingest", "push"),
  post("/v1development/profiles", "push"),
  ...services.flatMap(({ service, policy }) => connectRows(service, policy)),
  ...missingServices.map(({ path, policy }): RouteRow => ({ path, method: "POST", policy, kind: "connect" })),
  get("/render", "read"),
  get("/pyroscope/render", "read"),
  get("/render-diff", "read"),
  get("/pyroscope/render-diff", "read"),
  get("/label-values", "read"),
  get("/pyroscope/label-values", "read"),
  get("/api/v1/doctor", "read"),
  // Of the tenants that the request names: nobody sees the others' names.
  get("/runtime_config", "read"),
  get("/api/v1/tenant_limits", "read"),
  get("/api/v1/cardinality", "read"),
  get("/api/v1/spans", "read"),
  post("/api/v1/applications/delete", "admin"),
  // It changes what a program does, and what that costs.
  post("/api/v1/captures", "admin"),
  page("/"),
  asset("/assets/*"),
  asset("/favicon.ico"),
  asset("/favicon.svg"),
];

/** The row of a path as it was registered, or undefined. */
export function findRoute(path: string | undefined): RouteRow | undefined {
  return routesByPath.get(path ?? "");
}

const routesByPath: ReadonlyMap<string, RouteRow> = new Map(routes.map((row) => [row.path, row]));

function get(path: string, policy: RoutePolicy): RouteRow {
  return { path, method: "GET", policy, kind: "rest" };
}

function post(path: string, policy: RoutePolicy): RouteRow {
  return { path, method: "POST", policy, kind: "rest" };
}

/** The pages of the web UI are open: they hold no data, and ask for a token themselves. */
function page(path: string): RouteRow {
  return { path, method: "GET", policy: "open", kind: "page" };
}

function asset(path: string): RouteRow {
  return { path, method: "GET", policy: "open", kind: "asset" };
}

/** One row for each method of a service, as Connect and gRPC name them. */
function connectRows(service: ServiceRow["service"], policy: RoutePolicy): readonly RouteRow[] {
  return service.methods.map(({ name }) => ({
    path: `/${service.typeName}/${name}`,
    method: "POST",
    policy,
    kind: "connect",
  }));
}
