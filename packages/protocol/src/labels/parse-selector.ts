import { ProtocolError } from "../errors.ts";
import { createMatcher, type Matcher } from "./label-matcher.ts";
import { isClassicLabelName, PROFILE_NAME_LABEL } from "./label-names.ts";
import { quoteText } from "./quote.ts";
import { SelectorScanner, type SelectorToken } from "./selector-scanner.ts";

// A page's longest selectors list a few hundred values of 30 bytes; 64 KiB leaves room, and bounds how many
// regular expressions one request can have compiled.
const MAX_SELECTOR_LENGTH = 64 * 1024;
const MAX_MATCHERS = 100;
const MAX_SHOWN_LENGTH = 200;

/**
 * Parses a selector in Prometheus' syntax: `{a="b",c!="d",e=~"f.*",g!~"h"}`.
 *
 * Values stand in double quotes, single quotes (both with Go's escapes) or backticks; names other than
 * `[A-Za-z_][A-Za-z0-9_]*` in quotes: `{"otel.scope.name"="x"}`. A name before the braces, or a quoted text alone
 * inside, is the value of `__name__`. Blanks and `#` comments may stand between tokens. `{}` matches everything.
 *
 * @throws {@link ProtocolError} `SELECTOR_INVALID` that names the position (1-based, in UTF-16 units) or the
 * regular expression that RE2 refuses; the empty text, which is no selector; more than 64 KiB or 100 matchers.
 */
export function parseSelector(text: string): readonly Matcher[] {
  try {
    if (text.length > MAX_SELECTOR_LENGTH)
      throw invalid(`${text.length} characters, limit ${MAX_SELECTOR_LENGTH}`);
    return new SelectorParser(text).parse();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const shown = quoteText(text.slice(0, MAX_SHOWN_LENGTH));
    throw new ProtocolError(`parsing label selector ${shown}: ${error.message}`, {
      code: error.code,
      cause: error,
    });
  }
}

class SelectorParser {
  readonly #scanner: SelectorScanner;
  readonly #matchers: Matcher[] = [];
  #token: SelectorToken;

  constructor(text: string) {
    this.#scanner = new SelectorScanner(text);
    this.#token = this.#scanner.next();
  }

  parse(): readonly Matcher[] {
    const name = this.#token;
    if (name.kind === "name") {
      this.#advance();
      this.#add(createMatcher(PROFILE_NAME_LABEL, "=", name.value), name);
      if (this.#isAt("end")) return this.#matchers;
    }
    this.#skip("{");
    while (!this.#isAt("}")) {
      this.#condition();
      // A comma may stand before the brace.
      if (!this.#isAt("}")) this.#skip(",");
    }
    this.#skip("}");
    this.#skip("end");
    return this.#matchers;
  }

  #condition(): void {
    const name = this.#token;
    if (name.kind !== "name" && name.kind !== "text") throw this.#unexpected("a label name");
    if (name.kind === "name" && !isClassicLabelName(name.value)) {
      throw this.#scanner.error(name.start, `label name ${quoteText(name.value)} must stand in quotes`);
    }
    if (name.value === "") throw this.#scanner.error(name.start, "empty label name");
    this.#advance();
    const operator = this.#token;
    if (operator.kind !== "operator") {
      if (name.kind === "name") throw this.#unexpected('"=", "!=", "=~" or "!~"');
      this.#add(createMatcher(PROFILE_NAME_LABEL, "=", name.value), name);
      return;
    }
    this.#advance();
    const value = this.#token;
    if (value.kind !== "text") throw this.#unexpected("a quoted value");
    this.#advance();
    this.#add(createMatcher(name.value, operator.value, value.value), name);
  }

  #add(matcher: Matcher, at: SelectorToken): void {
    const isSecondName =
      matcher.name === PROFILE_NAME_LABEL &&
      matcher.op === "=" &&
      this.#matchers.some((other) => other.name === PROFILE_NAME_LABEL && other.op === "=");
    if (isSecondName) throw this.#scanner.error(at.start, `${PROFILE_NAME_LABEL} is given twice`);
    if (this.#matchers.length === MAX_MATCHERS) {
      throw this.#scanner.error(at.start, `more than ${MAX_MATCHERS} matchers`);
    }
    this.#matchers.push(matcher);
  }

  #isAt(kind: SelectorToken["kind"]): boolean {
    return this.#token.kind === kind;
  }

  #advance(): void {
    this.#token = this.#scanner.next();
  }

  #skip(kind: "{" | "}" | "," | "end"): void {
    if (!this.#isAt(kind)) throw this.#unexpected(kind === "end" ? "the end" : `"${kind}"`);
    if (kind !== "end") this.#advance();
  }

  #unexpected(expected: string): ProtocolError {
    return this.#scanner.error(this.#token.start, `expected ${expected}, got ${describeToken(this.#token)}`);
  }
}

function describeToken(token: SelectorToken): string {
  if (token.kind === "end") return "the end";
  return quoteText("value" in token ? token.value.slice(0, MAX_SHOWN_LENGTH) : token.kind);
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(message, { code: "SELECTOR_INVALID" });
}
