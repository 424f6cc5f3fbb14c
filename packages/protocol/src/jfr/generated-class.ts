/** A name that the JVM or a library makes up anew in every process, and what stands for all of them. */
const RULES: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // Reflection before JDK 18: jdk/internal/reflect/GeneratedMethodAccessor31.
  [/^jdk\/internal\/reflect\/GeneratedMethodAccessor\d+$/, "jdk/internal/reflect/GeneratedMethodAccessor_"],
  // Libraries that unpack themselves into a temporary file.
  [/^(?:\.?\/tmp\/)?(libzstd-jni-)[\d.]+-\d+\.so(?: \(deleted\))?$/, "$1_.so"],
  [
    /^(?:\.?\/tmp\/)?(?:lib)?amazonCorrettoCryptoProvider(?:NativeLibraries\.)?[0-9a-f]{16}(?:\/lib\w+)?\.so(?: \(deleted\))?$/,
    "libamazonCorrettoCryptoProvider_.so",
  ],
  [/^(?:\.?\/tmp\/)?(libasyncProfiler-)[\w-]+\.so(?: \(deleted\))?$/, "$1_.so"],
];

const LAMBDA = "$$Lambda";
// JDK 17 says $$Lambda$669.0x0000000800fd7318, or with a slash; JDK 21 $$Lambda/0x0000000800fd7318. The recorder of JDK 17
// says $$Lambda$79+0x00007f50fc007a08/1763344271.
const LAMBDA_NUMBERS = /^(?:\$\d+)?(?:\+0x[\da-f]+)?[./](?:0x[\da-f]+|\d+)$/;

/**
 * Gives the classes that differ from process to process in a number alone one name, so that their stacks merge.
 *
 * Source: grafana/jfr-parser pprof/symbols.go; the last two forms of lambdas are ours.
 */
export function mergeGenerated(className: string): string {
  const lambda = className.lastIndexOf(LAMBDA);
  if (lambda !== -1 && LAMBDA_NUMBERS.test(className.slice(lambda + LAMBDA.length))) {
    return `${className.slice(0, lambda)}${LAMBDA}$_`;
  }
  const rule = RULES.find(([pattern]) => pattern.test(className));
  return rule === undefined ? className : className.replace(rule[0], rule[1]);
}
