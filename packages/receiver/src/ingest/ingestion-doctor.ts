import { getLabel, SERVICE_NAME_LABEL, UNKNOWN_SERVICE } from "@pyroscope-ts/protocol";
import type { DiscardReason } from "./discard-reasons.ts";
import { type FindingReason, findingAdvice } from "./oddity-advice.ts";
import type { PushItem, PushItemResult } from "./push-service.ts";
import { RecentMap } from "./recent-map.ts";

/** One kind of refusal or oddity, from one client. */
interface Finding {
  readonly reason: FindingReason;
  readonly client: string;
  readonly service: string;
  /** Text of the last one. */
  readonly message: string;
  /** How to fix it. */
  readonly advice: string;
  readonly count: number;
  readonly firstUnixMillis: number;
  readonly lastUnixMillis: number;
}

/** Who sends what. */
interface SendingClient {
  /** `User-Agent`; "" where the client sends none. */
  readonly client: string;
  /** The SDK, by its own labels or else by its `User-Agent`: `com.grafana.pyroscope/go`; "" where neither says. */
  readonly name: string;
  readonly version: string;
  /** `pprof`, `jfr` and so on, of the last request. */
  readonly format: string;
  /** Of the last request. */
  readonly service: string;
  readonly requestCount: number;
  readonly refusedProfileCount: number;
  /** Requests in the last minute, about. */
  readonly requestsPerMinute: number;
  readonly lastSeenUnixMillis: number;
}

/** What is known of a tenant's pushes; latest first. */
export interface Diagnosis {
  readonly findings: readonly Finding[];
  readonly clients: readonly SendingClient[];
}

/** One request, as it was answered. */
export interface PushObservation {
  readonly tenant: string;
  readonly client: string;
  readonly items: readonly Pick<PushItem, "labels" | "format" | "ingest">[];
  readonly results: readonly PushItemResult[];
  readonly nowUnixMillis: number;
}

/** A request that was refused before its profiles were looked at. */
export interface RefusedRequest {
  readonly tenant: string;
  readonly client: string;
  readonly reason: DiscardReason;
  readonly message: string;
  readonly nowUnixMillis: number;
}

// All of it together is a few megabytes at most, however many tenants and clients someone makes up.
const MAX_TENANTS = 500;
const MAX_CLIENTS = 100;
const MAX_FINDINGS = 50;
const MAX_SERVICES = 200;
const MAX_TEXT_LENGTH = 500;

// Labels by which SDKs name themselves.
const SCOPE_NAME_LABEL = "otel.scope.name";
const SCOPE_VERSION_LABEL = "otel.scope.version";

/** The Go SDK has a library of its own for the profiles that it subtracts: one SDK all the same. */
const GODELTAPROF = /godeltaprof$/;

const MINUTE_MS = 60_000;
/** A client that was silent for this long does not profile a service any more. */
const CLASH_MS = 5 * MINUTE_MS;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface ClientRecord extends Omit<Mutable<SendingClient>, "requestsPerMinute"> {
  minute: number;
  minuteCount: number;
  lastMinuteCount: number;
}

interface TenantRecord {
  readonly findings: RecentMap<string, Mutable<Finding>>;
  readonly clients: RecentMap<string, ClientRecord>;
  /** By service: when each kind of client was seen last. */
  readonly senders: RecentMap<string, RecentMap<string, { readonly name: string; lastUnixMillis: number }>>;
}

/**
 * Remembers the last refusals and oddities of each tenant, and who sends: what one asks when profiles do not arrive.
 *
 * Bounded in every direction: what is oldest is forgotten.
 */
export class IngestionDoctor {
  readonly #tenants = new RecentMap<string, TenantRecord>(MAX_TENANTS);

  observe(push: PushObservation): void {
    const tenant = this.#tenants.use(push.tenant, createTenant);
    const service = cut(serviceOf(push));
    noteClient(tenant, push, service);
    for (const result of push.results) {
      if (!result.ok) noteFinding(tenant, push, service, result.reason, result.message);
      else noteLosses(tenant, push, service, result);
    }
    noteOddities(tenant, push, service);
  }

  observeRefusal({ tenant, client, reason, message, nowUnixMillis }: RefusedRequest): void {
    const record = this.#tenants.use(tenant, createTenant);
    noteFinding(record, { client, nowUnixMillis }, "", reason, message);
  }

  /** Takes the `User-Agent` of who reads. */
  observeReader(tenant: string, client: string, nowUnixMillis: number): void {
    if (!isOldGrafana(client)) return;
    const record = this.#tenants.use(tenant, createTenant);
    const message = `${cut(client)} reads profiles, and has no page to explore them`;
    noteFinding(record, { client, nowUnixMillis }, "", "old_grafana", message);
  }

  /** What is known of a tenant. */
  diagnose(tenant: string, nowUnixMillis: number): Diagnosis {
    const record = this.#tenants.get(tenant);
    if (record === undefined) return { findings: [], clients: [] };
    return {
      findings: [...record.findings.values()].reverse().map((finding) => ({ ...finding })),
      clients: [...record.clients.values()].reverse().map((client) => toClient(client, nowUnixMillis)),
    };
  }
}

function createTenant(): TenantRecord {
  return {
    findings: new RecentMap(MAX_FINDINGS),
    clients: new RecentMap(MAX_CLIENTS),
    senders: new RecentMap(MAX_SERVICES),
  };
}

/** An OTLP request names its services inside, where it was decoded. */
function serviceOf({ items, results }: PushObservation): string {
  const kept = results.find((result) => result.ok && result.service !== undefined);
  return (kept?.ok && kept.service) || (getLabel(items[0]?.labels ?? [], SERVICE_NAME_LABEL) ?? "");
}

/** Labels say more than a `User-Agent` such as `Go-http-client/1.1`, which is an HTTP library's. */
function sdkOf({ client, items }: PushObservation): Pick<SendingClient, "name" | "version"> {
  const labels = items[0]?.labels ?? [];
  const name = getLabel(labels, SCOPE_NAME_LABEL);
  if (name === undefined) return parseClient(client);
  return { name: cut(name), version: cut(getLabel(labels, SCOPE_VERSION_LABEL) ?? "") };
}

function noteClient({ clients }: TenantRecord, push: PushObservation, service: string): void {
  const { client, nowUnixMillis } = push;
  const minute = Math.floor(nowUnixMillis / MINUTE_MS);
  const sdk = sdkOf(push);
  const record = clients.use(`${client} ${sdk.name} ${sdk.version}`, () => ({
    client,
    ...sdk,
    format: "",
    service,
    requestCount: 0,
    refusedProfileCount: 0,
    lastSeenUnixMillis: nowUnixMillis,
    minute,
    minuteCount: 0,
    lastMinuteCount: 0,
  }));
  if (minute !== record.minute) {
    record.lastMinuteCount = minute === record.minute + 1 ? record.minuteCount : 0;
    record.minuteCount = 0;
    record.minute = minute;
  }
  record.minuteCount += 1;
  record.requestCount += 1;
  record.refusedProfileCount += push.results.filter(({ ok }) => !ok).length;
  record.format = push.items[0]?.format?.kind ?? "pprof";
  record.service = service;
  record.lastSeenUnixMillis = nowUnixMillis;
}

/** What is left of the minute is taken from the one before. */
function toClient(
  { minute, minuteCount, lastMinuteCount, ...client }: ClientRecord,
  now: number,
): SendingClient {
  const age = Math.floor(now / MINUTE_MS) - minute;
  const passed = (now % MINUTE_MS) / MINUTE_MS;
  const [before, current] = age === 0 ? [lastMinuteCount, minuteCount] : [age === 1 ? minuteCount : 0, 0];
  return { ...client, requestsPerMinute: Math.round(before * (1 - passed) + current) };
}

function noteFinding(
  { findings }: TenantRecord,
  { client, nowUnixMillis }: Pick<PushObservation, "client" | "nowUnixMillis">,
  service: string,
  reason: FindingReason,
  message: string,
): void {
  const finding = findings.use(`${reason} ${client}`, () => ({
    reason,
    client,
    service,
    message: "",
    advice: findingAdvice[reason],
    count: 0,
    firstUnixMillis: nowUnixMillis,
    lastUnixMillis: nowUnixMillis,
  }));
  finding.count += 1;
  finding.message = cut(message);
  finding.service = service;
  finding.lastUnixMillis = nowUnixMillis;
}

/** What of a stored profile is not there as it was sent. */
function noteLosses(
  tenant: TenantRecord,
  push: PushObservation,
  service: string,
  { foldedSeriesCount, droppedSeriesCount }: Extract<PushItemResult, { readonly ok: true }>,
): void {
  if (foldedSeriesCount !== undefined) {
    const message = `${foldedSeriesCount} series of a profile were kept as one, with the label __overflow__: the tenant has as many as it may`;
    noteFinding(tenant, push, service, "folded_series", message);
  }
  if (droppedSeriesCount !== undefined) {
    const message = `${droppedSeriesCount} series of a profile were dropped by the tenant's relabeling rules`;
    noteFinding(tenant, push, service, "dropped_by_relabel_rules", message);
  }
}

function noteOddities(tenant: TenantRecord, push: PushObservation, service: string): void {
  const { nowUnixMillis } = push;
  if (!push.results.some(({ ok }) => ok)) return;
  if (push.results.some((result) => result.ok && result.isUnsymbolized)) {
    const message = `more than 30 % of the frames of service ${JSON.stringify(service)} are addresses without a name`;
    noteFinding(tenant, push, service, "unsymbolized", message);
  }
  // OTLP names a process without a service by its program: `unknown_service:node`.
  if (service === "" || service === UNKNOWN_SERVICE || service.startsWith(`${UNKNOWN_SERVICE}:`)) {
    const name = service || UNKNOWN_SERVICE;
    const message = `profiles without the label ${SERVICE_NAME_LABEL} are kept as ${name}`;
    noteFinding(tenant, push, name, "unknown_service", message);
    return;
  }
  const name = sdkOf(push).name.replace(GODELTAPROF, "go");
  const senders = tenant.senders.use(service, () => new RecentMap(MAX_CLIENTS));
  senders.use(name, () => ({ name, lastUnixMillis: 0 })).lastUnixMillis = nowUnixMillis;
  const others = [...senders.values()].filter(
    (sender) => sender.name !== name && nowUnixMillis - sender.lastUnixMillis <= CLASH_MS,
  );
  if (others.length === 0) return;
  const names = [name, ...others.map((sender) => sender.name)].map((one) => JSON.stringify(one)).sort();
  const message = `service ${JSON.stringify(service)} is profiled by ${names.join(" and ")}`;
  noteFinding(tenant, push, service, "several_clients", message);
}

/** `pyroscope-go/1.2.3 (linux)` → its first product, as RFC 9110 writes it. */
function parseClient(client: string): Pick<SendingClient, "name" | "version"> {
  const [product = ""] = client.split(" ");
  const [name = "", version = ""] = product.split("/");
  return { name, version };
}

/** Grafana has a page to explore profiles since 10.4. */
function isOldGrafana(client: string): boolean {
  const [, major, minor] = /^Grafana\/(\d+)\.(\d+)/.exec(client) ?? [];
  if (major === undefined) return false;
  return Number(major) < 10 || (Number(major) === 10 && Number(minor) < 4);
}

function cut(text: string): string {
  return text.length <= MAX_TEXT_LENGTH ? text : `${text.slice(0, MAX_TEXT_LENGTH)}…`;
}
