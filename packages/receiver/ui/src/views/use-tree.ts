import type { Tree } from "@pyroscope-ts/protocol";
import type { Answer } from "../api/receiver-client.ts";
import type { ProfileQuery } from "../api/wire.ts";
import { useApp, useView } from "./app-context.ts";
import { type ResourceView, useResource } from "./use-resource.ts";

// Well above what can be seen at once, well below what a slow line minds: 16,384 nodes are under 200 kB compressed.
export const MAX_NODE_COUNT = 16_384;

/** The flame graph of a query, lines told apart as the view says. */
export function useTree(query: ProfileQuery): ResourceView<Answer<Tree>> {
  const { client } = useApp();
  const [view] = useView();
  const options = { maxNodes: MAX_NODE_COUNT, lines: view.lines };
  return useResource(JSON.stringify([query, options]), (signal) => client.fetchTree(query, options, signal));
}
