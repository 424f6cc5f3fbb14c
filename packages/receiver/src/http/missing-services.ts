import type { FastifyInstance, FastifyPluginAsync } from "fastify";
import { ReceiverError } from "../errors.ts";

/** A service of Pyroscope that this server does not have. */
interface MissingServiceRow {
  /** Path of its methods, `*` for each of them. */
  readonly path: string;
  readonly policy: "read" | "push";
  /** Why, and what to do instead. Completes "… is not available: ". */
  readonly reason: string;
}

/** Services that clients ask for and that have an answer of their own: 404 would send people looking for a wrong URL. */
export const missingServices: readonly MissingServiceRow[] = [
  {
    path: "/vcs.v1.VCSService/*",
    policy: "read",
    reason: "the server holds no source code and talks to no code host",
  },
  {
    path: "/debuginfo.v1alpha1.DebuginfoService/*",
    policy: "push",
    reason: "native frames are not symbolized here; send profiles with symbols",
  },
];

/** Answers `unimplemented` for every method of the services in {@link missingServices}, without reading the request. */
export async function addMissingServices(app: FastifyInstance): Promise<void> {
  const plugin: FastifyPluginAsync = async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
    for (const { path, reason } of missingServices) {
      const service = path.slice(1, -"/*".length);
      scope.post(path, async () => {
        throw new ReceiverError(`${service} is not available: ${reason}`, { code: "UNIMPLEMENTED" });
      });
    }
  };
  await app.register(plugin);
}
