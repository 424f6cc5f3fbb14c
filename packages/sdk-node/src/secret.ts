const REDACTED = "[redacted]";

/**
 * A text that must not reach a log: printing or serialising it shows `[redacted]`, and `util.inspect` shows
 * nothing, because it does not follow private fields.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The text itself; only the code that builds a request header calls this. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }
}

/** `url` without the user and password that may stand in it, also when it is not a valid URL. */
export function redactUrl(url: string): string {
  return url.replace(
    /^([^/]*\/\/)?[^/?#]*@/,
    (_match, scheme: string | undefined) => `${scheme ?? ""}${REDACTED}@`,
  );
}
