import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply } from "fastify";
import { ReceiverError } from "../errors.ts";
import { routes } from "./routes.ts";

/** Options of {@link addUi}. */
export interface UiOptions {
  /** Where the built web UI is. */
  readonly directory: string;
  /** Path prefix under which browsers see the server. */
  readonly baseUrl: string;
}

/**
 * Serves the web UI: its files, and its page for every path that is a view.
 *
 * The page names its path prefix in `<base>`, so that the same build works under any.
 */
export async function addUi(app: FastifyInstance, { directory, baseUrl }: UiOptions): Promise<void> {
  const indexPath = join(directory, "index.html");
  const html = existsSync(indexPath) ? withBase(readFileSync(indexPath, "utf8"), baseUrl) : undefined;
  if (html !== undefined) await app.register(fastifyStatic, { root: directory, serve: false, index: false });

  for (const { path, kind } of routes) {
    if (kind === "page") {
      app.get(path, async (_request, reply) => sendPage(reply, html));
    }
    if (kind === "asset") {
      app.get(path, async (request, reply) => {
        if (html === undefined) throw missingUi();
        const [pathname = ""] = request.url.split("?");
        return sendAsset(reply, pathname);
      });
    }
  }
}

function sendPage(reply: FastifyReply, html: string | undefined): FastifyReply {
  if (html === undefined) throw missingUi();
  // The page names the files of its build: it is looked at each time, they are kept for ever.
  return reply.header("cache-control", "no-cache").type("text/html; charset=utf-8").send(html);
}

function sendAsset(reply: FastifyReply, pathname: string): FastifyReply {
  // Names in assets/ hold a hash of their content.
  const isHashed = pathname.startsWith("/assets/");
  const cache = isHashed ? { maxAge: "365d", immutable: true } : { maxAge: "1h" };
  reply.removeHeader("cache-control");
  return reply.sendFile(pathname.slice(1), cache);
}

function withBase(html: string, baseUrl: string): string {
  const withoutBase = html.replace(/<base\b[^>]*>\s*/i, "");
  return withoutBase.replace(/<head>/i, `<head><base href="${baseUrl}/">`);
}

function missingUi(): ReceiverError {
  return new ReceiverError("the web UI is not built: run `npm run setup`", { code: "NOT_FOUND" });
}
