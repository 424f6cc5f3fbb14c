export type { LimitDetail, ProtocolErrorCode, ProtocolErrorOptions } from "./errors.ts";
export { ProtocolError } from "./errors.ts";
export type { NamedProfile, SpeedscopeHeader } from "./formats/decode-speedscope.ts";
export { decodeSpeedscope } from "./formats/decode-speedscope.ts";
export type { StackFormat } from "./formats/decode-stacks.ts";
export { decodeStacks } from "./formats/decode-stacks.ts";
export type { FormatLimits } from "./formats/format-limits.ts";
export { DEFAULT_FORMAT_LIMITS } from "./formats/format-limits.ts";
export type { StackHeader } from "./formats/stack-collector.ts";
export type { TextProfileType } from "./formats/text-profile-type.ts";
export { resolveTextProfileType } from "./formats/text-profile-type.ts";
export type { DecodeJfrOptions, JfrProfiles } from "./jfr/decode-jfr.ts";
export { decodeJfr } from "./jfr/decode-jfr.ts";
export type { JfrLimits } from "./jfr/jfr-limits.ts";
export { DEFAULT_JFR_LIMITS } from "./jfr/jfr-limits.ts";
export type { JfrProfile } from "./jfr/sample-collector.ts";
export type { AppName } from "./labels/app-name.ts";
export { formatAppName, parseAppName } from "./labels/app-name.ts";
export type { LabelCheck, LabelLimits, LabelRefusalReason } from "./labels/check-labels.ts";
export { checkLabels, DEFAULT_LABEL_LIMITS } from "./labels/check-labels.ts";
export type { Matcher } from "./labels/label-matcher.ts";
export { createMatcher, matchLabels } from "./labels/label-matcher.ts";
export type { ReservedLabel } from "./labels/label-names.ts";
export {
  APP_NAME_LABEL,
  DELTA_LABEL,
  isClassicLabelName,
  isIngestLabelName,
  PROFILE_NAME_LABEL,
  PROFILE_TYPE_LABEL,
  RESERVED_LABELS,
  SERVICE_NAME_LABEL,
  SESSION_ID_LABEL,
  sanitizeLabelName,
  UNKNOWN_SERVICE,
} from "./labels/label-names.ts";
export type { Label, LabelSet } from "./labels/label-set.ts";
export {
  equalLabels,
  formatLabels,
  getLabel,
  labelSetFromRecord,
  mergeLabels,
  sortLabels,
  withoutLabels,
} from "./labels/label-set.ts";
export type { MatchCondition, MatchOperator } from "./labels/match-condition.ts";
export { formatSelector } from "./labels/match-condition.ts";
export { parseConditions } from "./labels/parse-conditions.ts";
export { parseSelector } from "./labels/parse-selector.ts";
export { quoteText } from "./labels/quote.ts";
export type { Md5, Relabel, RelabelRule } from "./labels/relabel.ts";
export { compileRelabelRules, parseRelabelRules } from "./labels/relabel.ts";
export type { OtlpProfile } from "./otlp/decode-otlp.ts";
export { decodeOtlp } from "./otlp/decode-otlp.ts";
export { decodePprof, decodePprofWithHashes, type PprofWithHashes } from "./pprof/decode-pprof.ts";
export { encodePprof } from "./pprof/encode-pprof.ts";
export type { PprofLimitName, PprofLimits } from "./pprof/pprof-limits.ts";
export { DEFAULT_PPROF_LIMITS } from "./pprof/pprof-limits.ts";
export { buildCutTree } from "./profile/build-cut-tree.ts";
export { buildTree } from "./profile/build-tree.ts";
export { checkProfile } from "./profile/check-profile.ts";
export { diffProfiles } from "./profile/diff-profiles.ts";
export { diffTrees, truncateDiffTree } from "./profile/diff-trees.ts";
export { formatCollapsed } from "./profile/format-collapsed.ts";
export type { DotOptions } from "./profile/format-dot.ts";
export { formatDot } from "./profile/format-dot.ts";
export type { SpeedscopeOptions } from "./profile/format-speedscope.ts";
export { formatSpeedscope } from "./profile/format-speedscope.ts";
export { mergeProfiles } from "./profile/merge-profiles.ts";
export { mergeTrees } from "./profile/merge-trees.ts";
export { pickSamples } from "./profile/pick-samples.ts";
export type {
  FunctionIndex,
  FunctionTable,
  LabelTable,
  LineTable,
  LocationIndex,
  LocationTable,
  MappingIndex,
  MappingTable,
  Profile,
  SampleTable,
  StringIndex,
  ValueType,
} from "./profile/profile.ts";
export { NO_FUNCTION, NO_MAPPING } from "./profile/profile.ts";
export type {
  FunctionInput,
  LabelInput,
  LineInput,
  LocationInput,
  MappingInput,
  ProfileHeader,
} from "./profile/profile-builder.ts";
export { ProfileBuilder } from "./profile/profile-builder.ts";
export type { LineIndex, ProfileToStackListOptions } from "./profile/profile-stacks.ts";
export { profileToStackList } from "./profile/profile-stacks.ts";
export type { ProfileType } from "./profile/profile-type.ts";
export { formatProfileType, parseProfileType } from "./profile/profile-type.ts";
export type { NamePredicate, PruneOptions } from "./profile/prune-profile.ts";
export { pruneProfile } from "./profile/prune-profile.ts";
export { pruneTree } from "./profile/prune-tree.ts";
export { selectSampleType, splitSampleTypes } from "./profile/select-sample-type.ts";
export { totalValues } from "./profile/total-values.ts";
export type { DiffTree, NodeIndex, StackList, Tree } from "./profile/tree.ts";
export { NO_PARENT, OTHER_NAME, ROOT_NAME } from "./profile/tree.ts";
export { truncateTree } from "./profile/truncate-tree.ts";
export type { Flamebearer } from "./pyroscope/flamebearer.ts";
export { flamebearerToTree, treeToFlamebearer } from "./pyroscope/flamebearer.ts";
export type { FlamebearerDouble } from "./pyroscope/flamebearer-double.ts";
export { diffTreeToFlamebearer, flamebearerToDiffTree } from "./pyroscope/flamebearer-double.ts";
export { fixGoProfile } from "./pyroscope/go-fixes.ts";
export { profileName } from "./pyroscope/profile-name.ts";
export type { ProfileQuery } from "./pyroscope/query.ts";
export { parseQuery } from "./pyroscope/query.ts";
export type { SampleTypeConfig } from "./pyroscope/sample-type-config.ts";
export { parseSampleTypeConfig } from "./pyroscope/sample-type-config.ts";
export type { SeriesBuckets } from "./pyroscope/series-buckets.ts";
export { bucketIndex, bucketTimeMs, createSeriesBuckets, NO_BUCKET } from "./pyroscope/series-buckets.ts";
export {
  isScriptingSpy,
  nameFunctionsByFile,
  restoreFunctionIds,
  underscoreSampleTypes,
} from "./pyroscope/spy-fixes.ts";
export { parseTime, parseTimeNanos } from "./pyroscope/time.ts";
export type { Timeline, TimelinePoint } from "./pyroscope/timeline.ts";
export { alignToStep, buildTimeline, timelineStepSeconds } from "./pyroscope/timeline.ts";
export type { TreeLimits } from "./pyroscope/tree-bytes.ts";
export { DEFAULT_TREE_LIMITS, decodeTree, encodeTree } from "./pyroscope/tree-bytes.ts";
export { compareUtf8, isWellFormed, utf8Length } from "./utf8.ts";
export { Hasher64 } from "./wire/hash64.ts";
export { measureJsonDepth } from "./wire/json-depth.ts";
