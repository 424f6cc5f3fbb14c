import type { ConnectRouter } from "@connectrpc/connect";
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
import type { TenantLimits } from "../../config/tenant-limits.ts";
import type { QueryService } from "../../query/query-service.ts";
import type { Readiness } from "../../readiness.ts";
import type { StorageService } from "../../worker/storage-service.ts";
import type { BodyBudget } from "../body/body-budget.ts";
import { createAdHocProfiles } from "../manage/adhoc-route.ts";
import type { BuildInfo } from "../manage/health-route.ts";
import { createRecordingRules } from "../manage/recording-rules-route.ts";
import { createSettings } from "../manage/settings-route.ts";
import { createQuerier } from "../read/querier-route.ts";
import { connectServiceNames } from "../routes.ts";
import { createOtlpProfiles } from "../write/otlp-route-grpc.ts";
import type { ProfileWriter } from "../write/profile-writer.ts";
import { createPusher, type PushCall } from "../write/push-route.ts";
import { createFeatureFlags } from "./feature-flags-route.ts";
import { createHealthCheck } from "./health-check-route.ts";
import { createStatus, createVersion } from "./version-route.ts";

/** What the services work with. */
export interface ConnectServicesOptions {
  readonly storage: StorageService;
  readonly limits: TenantLimits;
  readonly queries: QueryService;
  readonly writer: ProfileWriter;
  readonly bodyBudget: BodyBudget;
  readonly push: PushCall;
  readonly readiness: Readiness;
  readonly buildInfo: BuildInfo;
  readonly clock: { nowUnixMillis(): number };
}

/** Registers every service of the route table. */
export function registerServices(router: ConnectRouter, options: ConnectServicesOptions): void {
  const { storage, limits, queries, writer, bodyBudget, push, readiness, buildInfo, clock } = options;
  router.service(PusherService, createPusher(push));
  router.service(ProfilesService, createOtlpProfiles({ writer, budget: bodyBudget }));
  router.service(QuerierService, createQuerier({ queries }));
  router.service(SettingsService, createSettings({ settings: storage, clock }));
  router.service(RecordingRulesService, createRecordingRules({ rules: storage, limits }));
  router.service(AdHocProfileService, createAdHocProfiles({ adHoc: storage, limits }));
  router.service(FeatureFlagsService, createFeatureFlags());
  router.service(Version, createVersion());
  router.service(StatusService, createStatus(buildInfo));
  router.service(Health, createHealthCheck({ readiness, services: connectServiceNames }));
}
