/**
 * What a profiler needs to make profiles and to send them. An entry of its own: a profiler lives in somebody else's
 * process, and the rest of this package (formats that are read, selectors, trees) would only take memory there.
 */
export { encodePprof } from "./pprof/encode-pprof.ts";
export { mergeProfiles } from "./profile/merge-profiles.ts";
export { pickSamples } from "./profile/pick-samples.ts";
export { ProfileBuilder } from "./profile/profile-builder.ts";
export type { PushSample, PushSeries } from "./pyroscope/push-bytes.ts";
export { encodePush } from "./pyroscope/push-bytes.ts";
