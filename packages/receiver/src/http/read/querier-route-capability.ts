import { ReceiverError } from "../../errors.ts";

/** Parameter of `Accept` by which a client says that it can take any label name. Source: Pyroscope pkg/featureflags. */
const UTF8_NAMES_PARAMETER = "allow-utf8-labelnames";

const TOKEN = "[\\w!#$%&'*+.^`|~-]+";
// Blanks belong to one place only in each of these, so that no header has two readings and matching is linear.
const PARAMETER = `;\\s*(?:${TOKEN}\\s*=\\s*(?:${TOKEN}|"[^"]*")\\s*)?`;
const MEDIA_RANGE = new RegExp(`^\\s*${TOKEN}(?:/${TOKEN})?\\s*(?:${PARAMETER})*$`);

/**
 * Whether a client takes label names outside of `[A-Za-z_][A-Za-z0-9_]*`.
 *
 * @throws {@link ReceiverError} INVALID_ARGUMENT for a header that is no list of media ranges.
 */
export function acceptsUtf8LabelNames(accept: string | null): boolean {
  const ranges = (accept ?? "").split(",").filter((range) => range.trim() !== "");
  if (ranges.some((range) => !MEDIA_RANGE.test(range))) {
    throw new ReceiverError(`Invalid header format: ${JSON.stringify(accept)}`, { code: "INVALID_ARGUMENT" });
  }
  return ranges.some((range) => range.split(";").some(isWanted));
}

function isWanted(parameter: string): boolean {
  const [name = "", value = ""] = parameter.split("=").map((word) => word.trim().toLowerCase());
  return name === UTF8_NAMES_PARAMETER && value.replaceAll('"', "") === "true";
}
