import { ProtocolError } from "../errors.ts";
import { isClassicLabelName, PROFILE_NAME_LABEL } from "./label-names.ts";
import type { MatchCondition } from "./match-condition.ts";
import { quoteText } from "./quote.ts";
import { SelectorScanner, type SelectorToken } from "./selector-scanner.ts";

// A page's longest selectors list a few hundred values of 30 bytes; 64 KiB leaves room, and bounds how many
// regular expressions one request can have compiled.
const MAX_SELECTOR_LENGTH = 64 * 1024;
const MAX_MATCHERS = 100;
const MAX_SHOWN_LENGTH = 200;

/**
 * Parses a selector as `parseSelector` does, but does not compile its regular expressions: for programs that show
 * and edit selectors, and do without the regular expression engine (50 kB compressed).
 *
 * @throws {@link ProtocolError} `SELECTOR_INVALID` as `parseSelector`, regular expressions aside.
 */
export function parseConditions(text: string): readonly MatchCondition[] {
  return inSelector(text, () => {
    if (text.length > MAX_SELECTOR_LENGTH) {
      throw new ProtocolError(`${text.length} characters, limit ${MAX_SELECTOR_LENGTH}`, {
        code: "SELECTOR_INVALID",
      });
    }
    return new SelectorParser(text).parse();
  });
}

/** Runs one step of reading a selector; its errors then say which selector. */
export function inSelector<T>(text: string, step: () => T): T {
  try {
    return step();
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
  readonly #conditions: MatchCondition[] = [];
  #token: SelectorToken;

  constructor(text: string) {
    this.#scanner = new SelectorScanner(text);
    this.#token = this.#scanner.next();
  }

  parse(): readonly MatchCondition[] {
    const name = this.#token;
    if (name.kind === "name") {
      this.#advance();
      this.#add({ name: PROFILE_NAME_LABEL, op: "=", value: name.value }, name);
      if (this.#isAt("end")) return this.#conditions;
    }
    this.#skip("{");
    while (!this.#isAt("}")) {
      this.#condition();
      // A comma may stand before the brace.
      if (!this.#isAt("}")) this.#skip(",");
    }
    this.#skip("}");
    this.#skip("end");
    return this.#conditions;
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
      this.#add({ name: PROFILE_NAME_LABEL, op: "=", value: name.value }, name);
      return;
    }
    this.#advance();
    const value = this.#token;
    if (value.kind !== "text") throw this.#unexpected("a quoted value");
    this.#advance();
    this.#add({ name: name.value, op: operator.value, value: value.value }, name);
  }

  #add(condition: MatchCondition, at: SelectorToken): void {
    const isSecondName =
      condition.name === PROFILE_NAME_LABEL &&
      condition.op === "=" &&
      this.#conditions.some((other) => other.name === PROFILE_NAME_LABEL && other.op === "=");
    if (isSecondName) throw this.#scanner.error(at.start, `${PROFILE_NAME_LABEL} is given twice`);
    if (this.#conditions.length === MAX_MATCHERS) {
      throw this.#scanner.error(at.start, `more than ${MAX_MATCHERS} matchers`);
    }
    this.#conditions.push(condition);
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
