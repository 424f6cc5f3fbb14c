import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ReceiverError } from "../errors.ts";
import { routes } from "./routes.ts";
import { readUiFiles, type UiFile } from "./ui-files.ts";

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
  const files = await readUiFiles(directory);
  const index = files.get("/index.html");
  const html = index && withBase(index.bytes.toString("utf8"), baseUrl);

  for (const { path, kind } of routes) {
    if (kind === "page") {
      app.get(path, async (_request, reply) => sendPage(reply, html));
    }
    if (kind === "asset") {
      app.get(path, async (request, reply) => {
        if (html === undefined) throw missingUi();
        const [pathname = ""] = request.url.split("?");
        return sendAsset(request, reply, pathname, files.get(pathname));
      });
    }
  }
}

function sendPage(reply: FastifyReply, html: string | undefined): FastifyReply {
  if (html === undefined) throw missingUi();
  // The page names the files of its build: it is looked at each time, they are kept for ever.
  return reply.header("cache-control", "no-cache").type("text/html; charset=utf-8").send(html);
}

function sendAsset(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  pathname: string,
  file: UiFile | undefined,
): FastifyReply {
  if (file === undefined) throw new ReceiverError("the web UI has no such file", { code: "NOT_FOUND" });
  // Names in assets/ hold a hash of their content.
  const isHashed = pathname.startsWith("/assets/");
  reply.header("cache-control", isHashed ? "public, max-age=31536000, immutable" : "public, max-age=3600");
  reply.header("etag", file.etag);
  if (headers["if-none-match"] === file.etag) return reply.code(304).send();
  return reply.type(file.type).send(file.bytes);
}

function withBase(html: string, baseUrl: string): string {
  const withoutBase = html.replace(/<base\b[^>]*>\s*/i, "");
  return withoutBase.replace(/<head>/i, `<head><base href="${baseUrl}/">`);
}

function missingUi(): ReceiverError {
  return new ReceiverError("the web UI is not built: run `npm run setup`", { code: "NOT_FOUND" });
}
