import { expect, it } from "vitest";
import { mergeGenerated } from "./generated-class.ts";

it.for([
  ["jdk/internal/reflect/GeneratedMethodAccessor31", "jdk/internal/reflect/GeneratedMethodAccessor_"],
  ["org/shop/Till$$Lambda$669.0x0000000800fd7318", "org/shop/Till$$Lambda$_"],
  ["org/shop/Till$$Lambda$669/0x0000000800fd7318", "org/shop/Till$$Lambda$_"],
  ["org/shop/Till$$Lambda$14/1203", "org/shop/Till$$Lambda$_"],
  ["org/shop/Till$$Lambda$79+0x00007f50fc007a08/1763344271", "org/shop/Till$$Lambda$_"],
  ["org/shop/Till$$Lambda/0x00007f1c4c000a00", "org/shop/Till$$Lambda$_"],
  ["./tmp/libzstd-jni-1.5.1-16931311898282279136.so", "libzstd-jni-_.so"],
  [
    "/tmp/amazonCorrettoCryptoProviderNativeLibraries.7382c2f79097f415/libcrypto.so (deleted)",
    "libamazonCorrettoCryptoProvider_.so",
  ],
  ["libamazonCorrettoCryptoProvider109b39cf33c563eb.so", "libamazonCorrettoCryptoProvider_.so"],
  ["libasyncProfiler-linux-x64-17b9a1d8156277a98ccc871afa9a8f69215f92.so", "libasyncProfiler-_.so"],
  ["org/shop/Till", "org/shop/Till"],
  ["org/shop/Till$$Lambda$List", "org/shop/Till$$Lambda$List"],
  [
    "org/shop/jdk/internal/reflect/GeneratedMethodAccessor31",
    "org/shop/jdk/internal/reflect/GeneratedMethodAccessor31",
  ],
  ["libjvm.so", "libjvm.so"],
] as const)("calls %s %s", ([name, merged]) => {
  expect(mergeGenerated(name)).toBe(merged);
});
