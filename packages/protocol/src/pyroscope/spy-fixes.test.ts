import { describe, expect, it } from "vitest";
import { decodePprof } from "../pprof/decode-pprof.ts";
import { encodePprof } from "../pprof/encode-pprof.ts";
import { checkProfile } from "../profile/check-profile.ts";
import { ProfileBuilder } from "../profile/profile-builder.ts";
import { totalValues } from "../profile/total-values.ts";
import { ProtobufReader } from "../wire/protobuf-reader.ts";
import { ProtobufWriter } from "../wire/protobuf-writer.ts";
import {
  isScriptingSpy,
  nameFunctionsByFile,
  restoreFunctionIds,
  underscoreSampleTypes,
} from "./spy-fixes.ts";

function build() {
  const builder = new ProfileBuilder({ sampleTypes: [{ type: "inuse-space", unit: "bytes" }] });
  const frames = [
    { name: "handle", file: "shop.py" },
    { name: "select", file: "/usr/lib/selectors.py" },
    { name: "shop.py handle", file: "" },
  ].map((input) => builder.location({ lines: [{ function: builder.function(input) }] }));
  builder.addSample(frames, [3]);
  builder.addSample(frames.slice(1), [4]);
  return builder.build();
}

const namesOf = ({ functions, strings }: ReturnType<typeof build>) =>
  Array.from(functions.name, (row) => strings[row]);

describe("nameFunctionsByFile", () => {
  it("puts the file before the name", () => {
    const profile = nameFunctionsByFile(build(), "rbspy");

    expect(namesOf(profile)).toEqual(["shop.py handle", "/usr/lib/selectors.py select", " shop.py handle"]);
    expect(totalValues(profile)).toEqual([7n]);
    checkProfile(profile);
  });

  it("leaves functions of pyspy with an absolute path alone", () => {
    expect(namesOf(nameFunctionsByFile(build(), "pyspy"))[1]).toBe("select");
  });

  it("is for scripting languages alone", () => {
    expect(["pyspy", "rbspy", "scripting", "gospy", ""].filter(isScriptingSpy)).toEqual([
      "pyspy",
      "rbspy",
      "scripting",
    ]);
  });
});

describe("underscoreSampleTypes", () => {
  it("replaces every dash", () => {
    expect(underscoreSampleTypes(build()).sampleTypes).toEqual([{ type: "inuse_space", unit: "bytes" }]);
  });
});

describe("restoreFunctionIds", () => {
  /** Takes the ids of functions away, as old .NET clients wrote them; `zero` leaves a 0 instead. */
  function withoutFunctionIds(bytes: Uint8Array, rewrite: (message: Uint8Array) => Uint8Array): Uint8Array {
    const writer = new ProtobufWriter();
    const reader = new ProtobufReader(bytes);
    while (reader.hasMore()) {
      const start = reader.position;
      const tag = reader.tag();
      if (tag >>> 3 !== 5) {
        reader.skip(tag);
        writer.raw(bytes.subarray(start, reader.position));
        continue;
      }
      const end = reader.end();
      const message = bytes.slice(reader.position, end);
      expect(message[0]).toBe(8);
      reader.position = end;
      const begin = writer.begin(5);
      writer.raw(rewrite(message));
      writer.end(begin);
    }
    return writer.finish();
  }
  const pprof = encodePprof(build());

  it.for([
    ["that are missing", (message: Uint8Array) => message.subarray(2)],
    ["that are 0", (message: Uint8Array) => message.with(1, 0)],
  ] as const)("gives functions the ids of locations in place of ids %s", ([, rewrite]) => {
    const broken = withoutFunctionIds(pprof, rewrite);
    expect(() => decodePprof(broken)).toThrow("function id is 0");

    expect(encodePprof(decodePprof(restoreFunctionIds(broken)))).toEqual(pprof);
  });

  it("leaves any other pprof as it is", () => {
    let row = 0;
    const onlyFirst = withoutFunctionIds(pprof, (message) => (row++ === 0 ? message.subarray(2) : message));

    expect(restoreFunctionIds(pprof)).toBe(pprof);
    expect(restoreFunctionIds(onlyFirst)).toBe(onlyFirst);
    expect(restoreFunctionIds(new Uint8Array(0))).toHaveLength(0);
  });

  it("refuses a pprof cut at every byte, or gives what the decoder refuses", () => {
    const broken = withoutFunctionIds(pprof, (message) => message.subarray(2));
    for (let end = 1; end < broken.length; end++) {
      expect(() => decodePprof(restoreFunctionIds(broken.subarray(0, end)))).toThrow();
    }
  });
});
