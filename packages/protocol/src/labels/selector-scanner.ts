import { ProtocolError } from "../errors.ts";
import type { MatchOperator } from "./match-condition.ts";
import { quoteText } from "./quote.ts";
import { readQuotedText } from "./quoted-text.ts";

/** One piece of a selector; `start` is where it begins in the text, 0-based. */
export type SelectorToken =
  | { readonly kind: "name" | "text"; readonly value: string; readonly start: number }
  | { readonly kind: "operator"; readonly value: MatchOperator; readonly start: number }
  | { readonly kind: "{" | "}" | "," | "end"; readonly start: number };

const BLANK = /(?:[ \t\n\r]+|#[^\n]*)+/y;
const OPERATOR = /=~|!~|!=|=/y;
// A metric name, which may hold colons, or a label name, which may not: the parser tells them apart.
const NAME = /[A-Za-z_:][A-Za-z0-9_:]*/y;

/** Takes a selector apart, one token at a time. Errors name the place, 1-based, in UTF-16 units. */
export class SelectorScanner {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** @throws {@link ProtocolError} `SELECTOR_INVALID` where no token begins. */
  next(): SelectorToken {
    this.#take(BLANK);
    const start = this.#position;
    const character = this.#text.charAt(start);
    if (character === "") return { kind: "end", start };
    if (character === "{" || character === "}" || character === ",") {
      this.#position++;
      return { kind: character, start };
    }
    if (character === '"' || character === "'" || character === "`") return this.#quoted(start);
    const operator = this.#take(OPERATOR);
    // OPERATOR matches exactly the four.
    if (operator !== undefined) return { kind: "operator", value: operator as MatchOperator, start };
    const name = this.#take(NAME);
    if (name !== undefined) return { kind: "name", value: name, start };
    throw this.error(
      start,
      `unexpected ${quoteText(String.fromCodePoint(this.#text.codePointAt(start) ?? 0))}`,
    );
  }

  error(position: number, problem: string): ProtocolError {
    return new ProtocolError(`position ${position + 1}: ${problem}`, { code: "SELECTOR_INVALID" });
  }

  #quoted(start: number): SelectorToken {
    const quoted = readQuotedText(this.#text, start);
    if (!quoted.ok) throw this.error(quoted.position, quoted.problem);
    this.#position = quoted.end;
    return { kind: "text", value: quoted.value, start };
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const taken = pattern.exec(this.#text)?.[0];
    if (taken !== undefined) this.#position += taken.length;
    return taken;
  }
}
