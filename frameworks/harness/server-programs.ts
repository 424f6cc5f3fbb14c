/** How a program that serves `/price` and `/last` is run. */
export interface ServerProgram {
  readonly title: string;
  /** Its folder in `programs`. */
  readonly folder: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** True for a bundle with all of the SDK inside, run where nothing else of the folder is: it warns once and uses the inspector. */
  readonly isAlone?: boolean;
  /** True where the build copies the native profiler, of which each Node line has a file of its own. */
  readonly isBuiltPerLine?: boolean;
  /** A label that tells its processes apart, and its values. */
  readonly label?: readonly [name: string, values: readonly string[]];
}

const bundle = (title: string, file: string) => ({ title, folder: "bundles", args: [`dist/${file}`] });

export const serverPrograms: readonly ServerProgram[] = [
  {
    title: "Next.js, standalone",
    folder: "next",
    args: [".next/standalone/server.js"],
    isBuiltPerLine: true,
    env: { HOSTNAME: "127.0.0.1", NODE_ENV: "production" },
  },
  {
    title: "Nitro",
    folder: "nitro",
    args: [".output/server/index.mjs"],
    isBuiltPerLine: true,
    env: { NITRO_HOST: "127.0.0.1", NODE_ENV: "production" },
  },
  { title: "NestJS", folder: "nest", args: ["dist/main.js"] },
  { title: "Fastify", folder: "fastify", args: ["dist/main.js"] },
  {
    title: "PM2 in cluster mode",
    folder: "pm2",
    args: ["node_modules/pm2/bin/pm2-runtime", "start", "ecosystem.config.cjs"],
    label: ["pm2_instance", ["0", "1"]],
  },
  {
    title: "node:cluster",
    folder: "cluster",
    args: ["dist/main.js"],
    label: ["cluster_worker", ["1", "2"]],
  },
  bundle("esbuild, ES module beside the SDK", "esbuild-external.mjs"),
  bundle("esbuild, CommonJS beside the SDK", "esbuild-external.cjs"),
  bundle("webpack beside the SDK", "webpack-external.cjs"),
  { ...bundle("esbuild, ES module with the SDK inside", "esbuild-whole.mjs"), isAlone: true },
  { ...bundle("esbuild, CommonJS with the SDK inside", "esbuild-whole.cjs"), isAlone: true },
  { ...bundle("webpack with the SDK inside", "webpack-whole.cjs"), isAlone: true },
];
