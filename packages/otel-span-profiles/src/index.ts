export { PROFILE_ID_ATTRIBUTE } from "./attributes.ts";
export type { PyroscopeSpanProcessorOptions, SpanScope } from "./options.ts";
export type { NamedSpan } from "./profiled-otel-span.ts";
export { PyroscopeSpanProcessor } from "./pyroscope-span-processor.ts";
