import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../errors.ts";
import { buildTree } from "../profile/build-tree.ts";
import { checkProfile } from "../profile/check-profile.ts";
import type { Profile } from "../profile/profile.ts";
import { profileToStackList } from "../profile/profile-stacks.ts";
import { totalValues } from "../profile/total-values.ts";
import { formatTree } from "../testing/format-tree.ts";
import { decodeStacks, type StackFormat } from "./decode-stacks.ts";
import { encodeChain, encodeNodes, toBytes } from "./format-bytes.fixture.ts";
import { DEFAULT_FORMAT_LIMITS, type FormatLimits } from "./format-limits.ts";

const header = { sampleType: { type: "cpu", unit: "nanoseconds" } };
const tight = (limits: Partial<FormatLimits>): FormatLimits => ({ ...DEFAULT_FORMAT_LIMITS, ...limits });

function decode(format: StackFormat, body: string | Uint8Array, limits?: FormatLimits): Profile {
  return decodeStacks(format, typeof body === "string" ? toBytes(body) : body, header, limits);
}

const total = (profile: Profile) => totalValues(profile)[0];
const show = (profile: Profile) => formatTree(buildTree(profileToStackList(profile, 0))).join("\n");

function codeOf(run: () => unknown): readonly [code: string, message: string] {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return [error.code, error.message];
    throw error;
  }
  return ["none", ""];
}

describe("decodeStacks of groups", () => {
  it("counts each stack by the number behind its last space", () => {
    const profile = decode("groups", "main;handle request 3\nmain;idle 4\r\n\n  \nmain;handle request 5");

    expect(show(profile)).toBe(show(decode("groups", "main;handle request 8\nmain;idle 4\n")));
    expect(profile.samples.length).toBe(2);
    expect(total(profile)).toBe(12n);
  });

  it("multiplies values by the scale, beyond 2^53 too", () => {
    const profile = decodeStacks("groups", toBytes("main 9007199254740993"), { ...header, scale: 10n });

    expect(total(profile)).toBe(90071992547409930n);
  });

  it("keeps lines of any length", () => {
    const names = Array.from({ length: 12_000 }, (_, i) => `function${i}`);
    const line = names.join(";");
    expect(line.length).toBeGreaterThan(2 * 65_536);

    const profile = decode("groups", `${line} 7\nmain 1`);

    expect(total(profile)).toBe(8n);
    expect(profile.samples.locationStart[1]).toBe(12_000);
  });

  it("keeps the header's types, period and times", () => {
    const whole = {
      ...header,
      periodType: header.sampleType,
      period: 10n,
      timeUnixNanos: 5n,
      durationNanos: 6n,
    };

    const profile = decodeStacks("groups", toBytes("main 1"), whole);

    expect(profile).toMatchObject({
      sampleTypes: [header.sampleType],
      periodType: header.sampleType,
      period: 10n,
      timeUnixNanos: 5n,
      durationNanos: 6n,
    });
  });

  it("takes every int64 and refuses the one after it", () => {
    expect(total(decode("groups", "main 9223372036854775807"))).toBe(2n ** 63n - 1n);
    expect(total(decode("groups", "main +5\nidle 0005"))).toBe(10n);
    expect(codeOf(() => decode("groups", "main 9223372036854775808"))[0]).toBe("FORMAT_MALFORMED");
    expect(codeOf(() => decode("groups", "main 9223372036854775807\nmain 1"))[0]).toBe("PROFILE_OVERFLOW");
    expect(
      codeOf(() => decodeStacks("groups", toBytes("main 9223372036854775807"), { ...header, scale: 2n }))[0],
    ).toBe("PROFILE_OVERFLOW");
  });

  it.for([
    ["a count that is no number", "main 1\nmain x", 'line 2: count "x" is no whole number of 64 bits'],
    ["a count with a fraction", "main 1.5", 'line 1: count "1.5" is no whole number of 64 bits'],
    ["an empty count", "main ", 'line 1: count "" is no whole number of 64 bits'],
    ["a line without a count", "main;idle", 'line 1: "main;idle" has no count'],
  ] as const)("refuses %s and names the line", ([, text, message]) => {
    expect(codeOf(() => decode("groups", text))).toEqual(["FORMAT_MALFORMED", message]);
  });

  it("refuses bytes that are not UTF-8", () => {
    const bytes = new Uint8Array([...toBytes("main 1\n"), 0xff, 0x20, 0x31]);

    expect(codeOf(() => decode("groups", bytes))).toEqual(["FORMAT_MALFORMED", "line 2 is not UTF-8"]);
  });

  it("is linear in the length of a count", () => {
    expect(codeOf(() => decode("groups", `main ${"9".repeat(1_000_000)}`))[0]).toBe("FORMAT_MALFORMED");
  });

  it("accepts as many samples as the limit, and one more not", () => {
    const text = "a 1\nb 1\na 1";

    expect(decode("groups", text, tight({ maxSamples: 2 })).samples.length).toBe(2);
    expect(codeOf(() => decode("groups", text, tight({ maxSamples: 1 })))).toEqual([
      "FORMAT_LIMIT",
      "decoding a profile: maxSamples: actual 2, limit 1",
    ]);
  });

  it("bounds frames and names", () => {
    expect(total(decode("groups", "a;b 1\nc 1", tight({ maxFrames: 3, maxNameChars: 3 })))).toBe(2n);
    expect(codeOf(() => decode("groups", "a;b 1\nc 1", tight({ maxFrames: 2 })))[0]).toBe("FORMAT_LIMIT");
    expect(codeOf(() => decode("groups", "a;b 1\nc 1", tight({ maxNameChars: 2 })))[0]).toBe("FORMAT_LIMIT");
  });

  it("bounds the frames of a line before it is split", () => {
    expect(total(decode("lines", "a;b;c", tight({ maxLineFrames: 3 })))).toBe(1n);
    expect(codeOf(() => decode("lines", ";".repeat(3), tight({ maxLineFrames: 3 })))).toEqual([
      "FORMAT_LIMIT",
      "decoding a profile: maxLineFrames: actual 4, limit 3",
    ]);
  });
});

describe("decodeStacks of lines", () => {
  it("counts one for each line, blank ones aside", () => {
    const profile = decode("lines", "main;handle request\nmain;idle\n\nmain;handle request\r\n");

    expect(show(profile)).toBe(show(decode("groups", "main;handle request 2\nmain;idle 1")));
    expect(total(profile)).toBe(3n);
  });
});

describe("decodeStacks of a trie", () => {
  it("joins names across nodes, in the middle of a frame or a character", () => {
    const omega = toBytes("Ω");
    const profile = decode(
      "trie",
      encodeNodes({
        name: "ma",
        children: [
          {
            name: "in",
            value: 1n,
            children: [
              { name: ";handle", value: 2n },
              {
                name: new Uint8Array([0x3b, omega[0] ?? 0]),
                children: [{ name: omega.slice(1), value: 4n }],
              },
            ],
          },
          { name: "p", value: 8n },
        ],
      }),
    );

    expect(show(profile)).toBe(show(decode("groups", "main 1\nmain;handle 2\nmain;Ω 4\nmap 8")));
    expect(total(profile)).toBe(15n);
  });

  it("keeps values up to int64, and refuses larger ones", () => {
    expect(total(decode("trie", encodeNodes({ name: "a", value: 2n ** 63n - 1n })))).toBe(2n ** 63n - 1n);
    expect(codeOf(() => decode("trie", encodeNodes({ name: "a", value: 2n ** 63n })))[0]).toBe(
      "FORMAT_MALFORMED",
    );
  });

  it("bounds the bytes that a chain of nodes unfolds to", () => {
    expect(codeOf(() => decode("trie", encodeChain(1000), tight({ maxFrameBytes: 500_000 })))[0]).toBe(
      "FORMAT_LIMIT",
    );
    expect(total(decode("trie", encodeChain(999), tight({ maxFrameBytes: 500_000 })))).toBe(999n);
  });

  it("reads a frame that nodes share once", () => {
    const leaves = ["x", "y", "z"].map((name) => ({ name, value: 1n }));
    const shared = encodeNodes({
      name: "main;handle",
      children: [{ name: "r;", value: 1n, children: leaves }],
    });

    // main, handler, the empty frame behind the semicolon, and three of one byte.
    expect(total(decode("trie", shared, tight({ maxFrameBytes: 14 })))).toBe(4n);
    expect(codeOf(() => decode("trie", shared, tight({ maxFrameBytes: 13 })))[0]).toBe("FORMAT_LIMIT");
    expect(show(decode("trie", shared))).toBe(
      show(decode("groups", "main;handler; 1\nmain;handler;x 1\nmain;handler;y 1\nmain;handler;z 1")),
    );
  });

  it("goes back to the frames of a branch before", () => {
    const trie = encodeNodes({
      name: "a;",
      children: [
        { name: "b;c;d", value: 1n },
        {
          name: "b",
          children: [
            { name: "x;y", value: 2n },
            { name: ";c", value: 4n },
          ],
        },
        { name: "", value: 8n },
      ],
    });

    expect(show(decode("trie", trie))).toBe(show(decode("groups", "a;b;c;d 1\na;bx;y 2\na;b;c 4\na; 8")));
  });
});

describe("decodeStacks of a tree", () => {
  const drawn = encodeNodes({
    name: "",
    children: [
      {
        name: "main",
        value: 1n,
        children: [{ name: "handle;request", value: 20n }, { name: "idle" }],
      },
      { name: "gc", value: 300n },
    ],
  });

  it("takes names as frames and values as their own", () => {
    const profile = decode("tree", drawn);

    expect(total(profile)).toBe(321n);
    expect(profile.strings).toContain("handle;request");
    expect(show(profile)).toBe(
      show(
        decode(
          "trie",
          encodeNodes({
            name: "",
            children: [
              { name: "main", value: 1n },
              { name: "main;handle:request", value: 20n },
              { name: "gc", value: 300n },
            ],
          }),
        ),
      ).replace("handle:request", "handle;request"),
    );
  });

  it("takes a root with a name for a frame", () => {
    expect(
      show(decode("tree", encodeNodes({ name: "main", value: 1n, children: [{ name: "a", value: 2n }] }))),
    ).toBe(show(decode("groups", "main 1\nmain;a 2")));
  });

  it("refuses long names and many children with Pyroscope's texts", () => {
    const wide = encodeNodes({ name: "", children: [{ name: "abc" }, { name: "d" }] });

    expect(decode("tree", wide, tight({ maxTreeNameBytes: 3, maxTreeChildren: 2 })).samples.length).toBe(0);
    expect(codeOf(() => decode("tree", wide, tight({ maxTreeNameBytes: 2 })))).toEqual([
      "FORMAT_MALFORMED",
      "tree node name length 3 exceeds maximum 2",
    ]);
    expect(codeOf(() => decode("tree", wide, tight({ maxTreeChildren: 1 })))).toEqual([
      "FORMAT_MALFORMED",
      "tree node children count 2 exceeds maximum 1",
    ]);
  });

  it("walks a chain of a hundred thousand nodes, and stops where its stacks are too many", () => {
    const silent = encodeChain(100_000).map((byte, i) => (i % 4 === 2 ? 0 : byte));

    expect(decode("tree", silent).samples.length).toBe(0);
    expect(codeOf(() => decode("tree", encodeChain(100_000)))[0]).toBe("FORMAT_LIMIT");
  });

  it("refuses bytes behind the last node", () => {
    expect(codeOf(() => decode("tree", new Uint8Array([...drawn, 0])))).toEqual([
      "FORMAT_MALFORMED",
      "1 bytes after the last node",
    ]);
  });

  it("refuses names that are not UTF-8", () => {
    expect(codeOf(() => decode("tree", encodeNodes({ name: new Uint8Array([0xff]) })))[0]).toBe(
      "FORMAT_MALFORMED",
    );
  });
});

describe("decodeStacks of nodes that were cut off", () => {
  const bytes = encodeNodes({ name: "a", value: 300n, children: [{ name: "b", value: 1n }, { name: "c" }] });

  it.for(["trie", "tree"] as const)("refuses a %s cut at every byte", (format) => {
    expect(total(decode(format, bytes))).toBe(301n);
    for (let end = 1; end < bytes.length; end++) {
      expect([end, codeOf(() => decode(format, bytes.subarray(0, end)))[0]]).toEqual([
        end,
        "FORMAT_MALFORMED",
      ]);
    }
  });
});

describe("decodeStacks of nothing", () => {
  it.for(["groups", "lines", "trie", "tree"] as const)("is a profile without samples, as %s", (format) => {
    expect(decode(format, new Uint8Array(0)).samples.length).toBe(0);
  });
});

describe("decodeStacks of anything", () => {
  const formats = fc.constantFrom<StackFormat>("groups", "lines", "trie", "tree");

  it("gives a sound profile or an error of ours", () => {
    fc.assert(
      fc.property(formats, fc.uint8Array({ maxLength: 200 }), (format, bytes) => {
        const code = codeOf(() => checkProfile(decode(format, bytes)))[0];

        expect(["none", "FORMAT_MALFORMED", "FORMAT_LIMIT", "PROFILE_OVERFLOW"]).toContain(code);
      }),
      { numRuns: 500 },
    );
  });

  it("conserves totals of folded stacks, lines and tries", () => {
    const frame = fc.stringMatching(/^[a-z ]{1,8}[a-z]$/);
    const stacks = fc.array(fc.tuple(fc.array(frame, { minLength: 1, maxLength: 5 }), fc.nat(50)), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(stacks, (drawn) => {
        const expected = BigInt(drawn.reduce((sum, [, count]) => sum + count, 0));
        const folded = drawn.map(([names, count]) => `${names.join(";")} ${count}\n`).join("");
        const lines = drawn.map(([names, count]) => `${names.join(";")}\n`.repeat(count)).join("");
        const children = drawn.map(([names, count]) => ({ name: names.join(";"), value: BigInt(count) }));

        const profiles = [
          decode("groups", folded),
          decode("lines", lines),
          decode("trie", encodeNodes({ name: "", children })),
        ];

        expect(profiles.map(total)).toEqual([expected, expected, expected]);
        expect(new Set(profiles.map(show)).size).toBe(1);
      }),
    );
  });
});
