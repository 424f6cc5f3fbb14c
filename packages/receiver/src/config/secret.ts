/** What a {@link Secret} shows wherever it is printed. */
const MASK = "***";

/** A text that must not appear in logs, errors, status pages or metrics: no way of printing it shows the value. */
export class Secret {
  // Private: `console.log` and structuredClone do not see it.
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The text itself; call it only where it is compared or sent. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }
}
