import type { FastifyPluginAsync } from "fastify";
import { ReceiverError } from "../../errors.ts";
import type { StorageService } from "../../worker/storage-service.ts";
import { getRequestContext } from "../request-context.ts";
import { requireOneTenant } from "../tenants.ts";

// A name is a label value, which is far shorter.
const BODY_LIMIT_BYTES = 64 * 1024;

/**
 * `POST /api/v1/applications/delete` with `{"name": "shop"}`: deletes every profile of one `service_name`. When it answers,
 * no query has them any more; they leave the files with the next compaction, which starts at once.
 */
export const deleteApplicationRoute: FastifyPluginAsync<{
  readonly storage: Pick<StorageService, "deleteApplication">;
}> = async (app, { storage }) => {
  app.post("/api/v1/applications/delete", { bodyLimit: BODY_LIMIT_BYTES }, async (request, reply) => {
    const service = readName(request.body);
    const tenant = requireOneTenant(getRequestContext(request).tenants);
    const { blockCount, quarantinedBlockCount } = await storage.deleteApplication({ tenant, service });
    return reply.send({ name: service, blocks: blockCount, quarantinedBlocks: quarantinedBlockCount });
  });
};

function readName(body: unknown): string {
  const name = typeof body === "object" && body !== null && "name" in body ? body.name : undefined;
  if (typeof name === "string" && name !== "") return name;
  throw new ReceiverError(`delete an application: expected {"name": "its service_name"}`, {
    code: "INVALID_ARGUMENT",
  });
}
