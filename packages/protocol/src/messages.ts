/**
 * The protobuf messages and services of Pyroscope's public API, and the functions of protobuf-es that make,
 * encode and decode them, so that a user of this entry needs no protobuf library of their own.
 *
 * A message type `X` comes with its description `XSchema`: `toBinary(PushRequestSchema, request)`. Services
 * (`PusherService`, `QuerierService`, …) are descriptions that `@connectrpc/connect` serves and calls.
 * int64 fields are `bigint`.
 *
 * An entry of its own: descriptions weigh more than all the rest of this package, and a page that draws flame
 * graphs needs none of them. Everything generated is exported, since the `.proto` files hold only what is used.
 */
export type { MessageInitShape, MessageShape } from "@bufbuild/protobuf";
export { create, fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
export * from "./gen/adhocprofiles/v1/adhocprofiles_pb.ts";
export * from "./gen/capabilities/v1/feature_flags_pb.ts";
export * from "./gen/google/rpc/error_details_pb.ts";
/** The messages of pprof's profile.proto, apart because `Location` and others mean something else in types.v1. */
export * as googleV1 from "./gen/google/v1/profile_pb.ts";
export * from "./gen/grpc/health/v1/health_pb.ts";
export * from "./gen/opentelemetry/proto/collector/profiles/v1development/profiles_service_pb.ts";
/** The messages of OTLP profiles, each package apart because their names mean something else in others. */
export * as otlpCommonV1 from "./gen/opentelemetry/proto/common/v1/common_pb.ts";
export * as otlpProfilesV1development from "./gen/opentelemetry/proto/profiles/v1development/profiles_pb.ts";
export * as otlpResourceV1 from "./gen/opentelemetry/proto/resource/v1/resource_pb.ts";
export * from "./gen/push/v1/push_pb.ts";
export * from "./gen/querier/v1/querier_pb.ts";
export * from "./gen/settings/v1/recording_rules_pb.ts";
export * from "./gen/settings/v1/setting_pb.ts";
export * from "./gen/status/v1/status_pb.ts";
export * from "./gen/types/v1/types_pb.ts";
export * from "./gen/version/v1/version_pb.ts";
