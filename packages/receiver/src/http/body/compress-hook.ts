import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

const gzipAsync = promisify(gzip);

/** Below a network packet nothing is won. */
const MIN_BYTES = 1400;

/** A flame graph's JSON shrinks to a tenth at level 4 already; higher levels cost three times the time for a few percent. */
const LEVEL = 4;

const COMPRESSIBLE = /^(?:text\/|image\/svg|application\/(?:json|javascript|vnd\.pyroscope))/;

/** Compresses text responses of REST and UI routes when the client takes gzip. Connect compresses its own. */
export function addCompressHook(app: FastifyInstance): void {
  app.addHook("onSend", async (request, reply, payload) => {
    if (!isWanted(request, reply)) return payload;
    if (typeof payload !== "string" && !Buffer.isBuffer(payload)) return payload;
    if (Buffer.byteLength(payload) < MIN_BYTES) return payload;
    setHeaders(reply);
    return gzipAsync(payload, { level: LEVEL });
  });
}

function isWanted(request: FastifyRequest, reply: FastifyReply): boolean {
  if (request.method === "HEAD" || reply.hasHeader("content-encoding")) return false;
  if (!COMPRESSIBLE.test(String(reply.getHeader("content-type") ?? ""))) return false;
  reply.header("vary", "accept-encoding");
  return acceptsGzip(String(request.headers["accept-encoding"] ?? ""));
}

/** Whether a list of codings has `gzip` or `*` without `q=0`. A named coding wins over `*`. */
export function acceptsGzip(header: string): boolean {
  const codings = header
    .toLowerCase()
    .split(",")
    .map((part) => part.split(";").map((word) => word.trim()));
  const coding = codings.find(([name]) => name === "gzip") ?? codings.find(([name]) => name === "*");
  if (coding === undefined) return false;
  const quality = coding.find((parameter) => parameter.startsWith("q="));
  return quality === undefined || Number(quality.slice(2)) > 0;
}

function setHeaders(reply: FastifyReply): void {
  reply.header("content-encoding", "gzip");
  reply.removeHeader("content-length");
}
