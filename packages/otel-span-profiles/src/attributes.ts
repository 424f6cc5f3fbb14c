/**
 * The attribute of a span that has a profile; its value is the `span_id` of the samples: 16 hex digits.
 *
 * Source: Grafana's traces to profiles looks for it, and all span processors of Pyroscope set it.
 */
export const PROFILE_ID_ATTRIBUTE = "pyroscope.profile.id";
