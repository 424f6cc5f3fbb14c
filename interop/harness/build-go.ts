import { build, findMissingTools, makeCacheFolder, programFolder } from "./tools.ts";

/** Builds the programs in Go: once and together, because compilers side by side would each compile all of it. */
export function setup(): void {
  if (findMissingTools(["go"]).length > 0) return;
  const folder = `${makeCacheFolder("go")}/`;
  // The profile of leaked goroutines is an experiment of Go 1.26; paths of this machine are of no use to anyone.
  // Without optimisation it builds in two thirds of the time.
  build(
    "go",
    ["build", "-trimpath", "-gcflags=all=-N -l", "-o", folder, ".", "cmd/pprof"],
    programFolder("go"),
    {
      GOEXPERIMENT: "goroutineleakprofile",
    },
  );
}
