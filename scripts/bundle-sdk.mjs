// Makes packages/sdk-node/bundle of its `dist`, the JavaScript of the packed SDK: a program that is profiled loads 3 files in
// place of 126, each of which Node would find, read and compile by itself. Types stay in `dist`. Runs before packing; a test
// names another folder.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = join(dirname(dirname(fileURLToPath(import.meta.url))), "packages/sdk-node");
const outDir = process.argv[2] ?? join(root, "bundle");

// Finds the other files by where it is itself.
const OWN_FILES = "own-files";

function fileOf(name) {
  return join(root, `dist/${name}.js`);
}

/** Leaves imports of `own-files` as they are, from the folder `to` leads out of. */
function keepOwnFiles(to) {
  return {
    name: "keep-own-files",
    resolveId: {
      order: "pre",
      handler: (source, importer) =>
        importer !== undefined && join(dirname(importer), source) === fileOf(OWN_FILES)
          ? { id: `${to}/${OWN_FILES}.js`, external: true }
          : undefined,
    },
  };
}

/** One chunk of all that is loaded with the first import, whatever else shares parts of it. */
function joinStatic(id, modules) {
  const seen = new Set([fileOf("thread-sdk")]);
  for (const seenId of seen) {
    for (const imported of modules.getModuleInfo(seenId)?.importedIds ?? []) seen.add(imported);
  }
  return seen.has(id) ? "sdk" : null;
}

async function bundle(names, { plugins, license, ...output }) {
  await build({
    configFile: false,
    logLevel: "warn",
    root,
    plugins,
    resolve: { conditions: ["node", "default"] },
    ssr: { noExternal: ["@pyroscope-ts/protocol", /^@jridgewell\//] },
    build: {
      ssr: true,
      target: "node20",
      outDir,
      emptyOutDir: names.includes(OWN_FILES),
      license,
      rolldownOptions: {
        input: Object.fromEntries(names.map((name) => [name, fileOf(name)])),
        // Messages are rarely needed, and what is generated of them is large.
        external: /^@pyroscope-ts\/protocol(\/messages)?$/,
        // Functions that are never called name files for tools that copy programs.
        treeshake: false,
        output: {
          // Names stay in stack traces.
          minify: false,
          entryFileNames: "[name].js",
          comments: { legal: true, annotation: true, jsdoc: false },
          ...output,
        },
      },
    },
  });
}

await bundle([OWN_FILES], {});
await bundle(["index", "spans", "http", "compat", "register", "thread-register"], {
  plugins: [keepOwnFiles(".")],
  license: { fileName: "licenses.md" },
  chunkFileNames: "[name].js",
  codeSplitting: { groups: [{ name: joinStatic, debugName: "sdk" }] },
});
// Threads and processes of their own share nothing with the program: each has files with what it needs, and no more.
await bundle(["exporters/helper-worker", "heap-limit/heap-limit-export"], {
  plugins: [keepOwnFiles("..")],
  chunkFileNames: "threads/[name].js",
});
await bundle(["cli/main"], { plugins: [keepOwnFiles("..")], chunkFileNames: "command/[name].js" });
