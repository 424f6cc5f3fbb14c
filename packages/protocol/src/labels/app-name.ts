import { ProtocolError } from "../errors.ts";
import { PROFILE_NAME_LABEL } from "./label-names.ts";
import { getLabel, type LabelSet, labelSetFromRecord } from "./label-set.ts";
import { quoteCharacter, quoteText } from "./quote.ts";

/** What the parameter `name` of `/ingest` says: `shop{env=prod}`. */
export interface AppName {
  readonly serviceName: string;
  readonly labels: LabelSet;
}

/**
 * Parses the application name of `/ingest`: `shop{env=prod,otel.scope.name=x}`.
 *
 * Not a grammar but what Pyroscope's parser accepts: blanks around names and values fall away, values take every
 * character but `,` and `}` (quotes and `=` too), of one name the last value stands, `__name__` as a name replaces
 * the service, and text after the closing brace is tolerated. One difference: a last pair whose brace is missing
 * is kept, where Pyroscope drops it without a word.
 *
 * @throws {@link ProtocolError} `LABELS_INVALID` with Pyroscope's text when a name is missing or has a character
 * that is not allowed.
 *
 * Source: Pyroscope api/model/labelset.
 */
export function parseAppName(text: string): AppName {
  const open = text.indexOf("{");
  const serviceName = (open < 0 ? text : text.slice(0, open)).trim();
  checkServiceName(serviceName);
  const values = open < 0 ? new Map<string, string>() : readPairs(text.slice(open + 1));
  const replacement = values.get(PROFILE_NAME_LABEL);
  values.delete(PROFILE_NAME_LABEL);
  return {
    serviceName: replacement ?? serviceName,
    labels: labelSetFromRecord(Object.fromEntries(values)),
  };
}

/**
 * Prints an application name that {@link parseAppName} reads back: `shop{env=prod,zone=b}`.
 *
 * @throws {@link ProtocolError} `LABELS_INVALID` for a name or value that the grammar cannot carry.
 */
export function formatAppName({ serviceName, labels }: AppName): string {
  checkServiceName(serviceName);
  const pairs = labels.map(({ name, value }) => {
    checkPairName(name);
    if (/[,}]/.test(value) || value.trim() !== value) {
      throw invalid(`label ${name}=${quoteText(value)}: "," and "}" and outer blanks cannot be written`);
    }
    return `${name}=${value}`;
  });
  if (getLabel(labels, PROFILE_NAME_LABEL) !== undefined) {
    throw invalid(`label ${PROFILE_NAME_LABEL}: would replace the service name`);
  }
  return `${serviceName}{${pairs.join(",")}}`;
}

function readPairs(text: string): Map<string, string> {
  const values = new Map<string, string>();
  let isClosed = false;
  let position = 0;
  while (position < text.length) {
    const equals = text.indexOf("=", position);
    const brace = text.indexOf("}", position);
    // A brace where a name should stand ends the pairs: what follows is no longer looked at.
    if (equals < 0 || (brace >= 0 && brace < equals)) break;
    const end = indexOfValueEnd(text, equals + 1);
    // A pair that runs to the end was not closed. Inside the braces it is clear what was meant; behind them not.
    if (end === text.length && isClosed) break;
    const name = text.slice(position, equals).trim();
    const value = text.slice(equals + 1, end).trim();
    if (name === PROFILE_NAME_LABEL) checkServiceName(value);
    else checkPairName(name);
    values.set(name, value);
    isClosed ||= text[end] === "}";
    position = end + 1;
  }
  return values;
}

function indexOfValueEnd(text: string, from: number): number {
  let end = from;
  while (end < text.length && text[end] !== "," && text[end] !== "}") end++;
  return end;
}

function checkServiceName(name: string): void {
  if (name === "") throw invalid("service name is required");
  const bad = /[^A-Za-z0-9_./-]/u.exec(name)?.[0];
  if (bad !== undefined)
    throw invalid(`invalid service name: ${name}: character is not allowed: ${quoteCharacter(bad)}`);
}

function checkPairName(name: string): void {
  if (name === "") throw invalid("label name is required");
  const bad = /[^A-Za-z0-9_.]/u.exec(name)?.[0];
  if (bad !== undefined)
    throw invalid(`invalid label name: ${name}: character is not allowed: ${quoteCharacter(bad)}`);
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(message, { code: "LABELS_INVALID" });
}
