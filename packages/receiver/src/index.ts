export type { AuthToken, TokenRole } from "./config/auth-tokens.ts";
export type { BindAddress } from "./config/bind-address.ts";
export type { Secret } from "./config/secret.ts";
export type { ConfigSources, LogLevel, ReceiverConfig, ServerConfig } from "./config.ts";
export { resolveConfig } from "./config.ts";
export type { ReceiverErrorCode } from "./errors.ts";
export { ReceiverError } from "./errors.ts";
export type { Receiver } from "./receiver.ts";
export { createReceiver, version } from "./receiver.ts";
