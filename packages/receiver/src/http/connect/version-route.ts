import type { ServiceImpl } from "@connectrpc/connect";
import type { StatusService, Version } from "@pyroscope-ts/protocol/messages";
import { type BuildInfo, describeBuild } from "../manage/health-route.ts";

/** The interface of querier.v1 that this server speaks. Source: Pyroscope pkg/api/version. */
const QUERIER_API = 1n;

/** `version.v1.Version`: which version of the querier's interface the server speaks. */
export function createVersion(): ServiceImpl<typeof Version> {
  return { version: () => ({ QuerierAPI: QUERIER_API }) };
}

/** `status.v1.StatusService`: what `/api/v1/status/buildinfo` says, for clients of Connect. */
export function createStatus(buildInfo: BuildInfo): ServiceImpl<typeof StatusService> {
  return {
    getBuildInfo: () => {
      const { status, data } = describeBuild(buildInfo);
      const { nodeVersion: _node, ...fields } = data;
      return { status, data: fields };
    },
  };
}
