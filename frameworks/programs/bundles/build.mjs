// The same server by two bundlers: beside the SDK as the README says, and with all of it inside.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import webpack from "webpack";

const sdk = "@pyroscope-ts/sdk-node";

for (const [name, external] of [
  ["external", [sdk]],
  ["whole", []],
]) {
  for (const format of ["cjs", "esm"]) {
    await build({
      entryPoints: ["src/main.ts"],
      outfile: `dist/esbuild-${name}.${format === "cjs" ? "cjs" : "mjs"}`,
      bundle: true,
      minify: true,
      platform: "node",
      target: "node20",
      format,
      sourcemap: true,
      external,
      logLevel: "error",
    });
  }
}

function run(config) {
  return new Promise((resolve, reject) => {
    webpack(config, (error, stats) => {
      if (error) reject(error);
      else if (stats.hasErrors()) reject(new Error(stats.toString({ all: false, errors: true })));
      else resolve(stats);
    });
  });
}

for (const [name, externals] of [
  ["external", { [sdk]: `commonjs ${sdk}` }],
  ["whole", {}],
]) {
  await run({
    mode: "production",
    target: "node20",
    devtool: "source-map",
    entry: "./src/main.ts",
    output: { path: fileURLToPath(new URL("dist", import.meta.url)), filename: `webpack-${name}.cjs` },
    resolve: { extensions: [".ts", ".js"] },
    module: { rules: [{ test: /\.ts$/, loader: "ts-loader" }] },
    externals,
  });
}
