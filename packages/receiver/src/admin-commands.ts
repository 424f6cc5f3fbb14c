import type { AdminServer } from "./cli.ts";
import { ReceiverError } from "./errors.ts";

/**
 * `pyroscope admin app delete`: asks a running receiver to delete an application. Returns what to print.
 *
 * @throws {@link ReceiverError} UNAVAILABLE when it cannot be reached or refuses, with what it says.
 */
export async function requestDeletion(name: string, { url, token, tenant }: AdminServer): Promise<string> {
  const target = new URL("api/v1/applications/delete", url.endsWith("/") ? url : `${url}/`);
  const headers = {
    "content-type": "application/json",
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(tenant !== undefined && { "x-scope-orgid": tenant }),
  };
  const body = JSON.stringify({ name });
  const response = await fetch(target, { method: "POST", headers, body }).catch((cause: unknown) => {
    throw new ReceiverError(`ask ${target.origin}: ${String(cause)}`, { code: "UNAVAILABLE", cause });
  });
  const text = await response.text();
  if (!response.ok) {
    throw new ReceiverError(`ask ${target.origin}: ${response.status} ${text}`, { code: "UNAVAILABLE" });
  }
  const { blocks, quarantinedBlocks } = JSON.parse(text) as Readonly<Record<string, number>>;
  const kept =
    quarantinedBlocks === 0
      ? ""
      : `${quarantinedBlocks} damaged blocks of the tenant are in quarantine and may hold it: delete them by hand.\n`;
  return `deleted ${JSON.stringify(name)}; ${blocks} blocks are written again without it\n${kept}`;
}
