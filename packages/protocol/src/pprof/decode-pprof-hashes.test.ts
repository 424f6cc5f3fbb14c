import { describe, expect, it } from "vitest";
import { Hasher64 } from "../wire/hash64.ts";
import { decodePprof, decodePprofWithHashes } from "./decode-pprof.ts";
import { RAW_STRINGS, rawPprof, textField } from "./raw-pprof.fixture.ts";

describe("decodePprofWithHashes", () => {
  it.for([undefined, 5])(
    "hashes each string as the text that it is, cut to %s bytes",
    (truncateStringBytes) => {
      const texts = [
        "a",
        "ab",
        "abc",
        "abcd",
        "h\u00e9llo w\u00f6rld",
        "main",
        "\u65e5\u672c\u8a9e\u306e\u95a2\u6570",
        "x".repeat(301),
      ];
      const strings = [...RAW_STRINGS, ...texts.map((text) => textField(6, text))];
      const bytes = Uint8Array.from(rawPprof({ strings }));

      const { profile, stringHashes } = decodePprofWithHashes(bytes, { truncateStringBytes }, 7);

      expect(profile).toEqual(decodePprof(bytes, { truncateStringBytes }));
      const hasher = new Hasher64();
      for (const [row, text] of profile.strings.entries()) {
        const { lo, hi } = hasher.reset(7).text(text).finish();
        expect([text, stringHashes[2 * row], stringHashes[2 * row + 1]]).toEqual([text, lo, hi]);
      }
    },
  );
});
