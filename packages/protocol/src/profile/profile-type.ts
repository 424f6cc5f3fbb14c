import { ProtocolError } from "../errors.ts";
import { quoteText } from "../labels/quote.ts";

/** A profile type, whole and in its parts. The period's parts are "" for a profile without a period type. */
export interface ProfileType {
  /** `process_cpu:cpu:nanoseconds:cpu:nanoseconds`, as it was given. */
  readonly id: string;
  /** Profile name, the label `__name__`. */
  readonly name: string;
  readonly sampleType: string;
  readonly sampleUnit: string;
  readonly periodType: string;
  readonly periodUnit: string;
}

/**
 * Takes a profile type id apart. A sixth part (`:delta`, of old clients) stays in `id` and means nothing.
 *
 * @throws {@link ProtocolError} `PROFILE_TYPE_INVALID`, with Pyroscope's text, for another number of parts.
 *
 * Source: Pyroscope pkg/model/profile.go.
 */
export function parseProfileType(id: string): ProfileType {
  const parts = id.split(":");
  const [name, sampleType, sampleUnit, periodType, periodUnit] = parts;
  const isComplete =
    name !== undefined &&
    sampleType !== undefined &&
    sampleUnit !== undefined &&
    periodType !== undefined &&
    periodUnit !== undefined;
  if (!isComplete || parts.length > 6) {
    throw new ProtocolError(
      "profile-type selection must be of the form " +
        "<name>:<sample-type>:<sample-unit>:<period-type>:<period-unit>(:delta), " +
        `got(${parts.length}): ${quoteText(id)}`,
      { code: "PROFILE_TYPE_INVALID" },
    );
  }
  return { id, name, sampleType, sampleUnit, periodType, periodUnit };
}

/**
 * Joins the parts of a profile type to its id, five parts always.
 *
 * @throws {@link ProtocolError} `PROFILE_TYPE_INVALID` for a part with a colon: its id would name another type.
 */
export function formatProfileType(type: Omit<ProfileType, "id">): string {
  const parts = [type.name, type.sampleType, type.sampleUnit, type.periodType, type.periodUnit];
  const bad = parts.find((part) => part.includes(":"));
  if (bad !== undefined) {
    throw new ProtocolError(`profile type part ${quoteText(bad)}: contains ":"`, {
      code: "PROFILE_TYPE_INVALID",
    });
  }
  return parts.join(":");
}
