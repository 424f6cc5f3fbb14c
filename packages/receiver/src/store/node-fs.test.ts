import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { nodeFs } from "./node-fs.ts";

it("tells whoever reads that a file is missing, however late they begin", async () => {
  const path = join(tmpdir(), "pyroscope-no-such-file");
  const chunks = nodeFs.readChunks(path);
  // As long as opening the file would take.
  await expect(stat(path)).rejects.toThrow("ENOENT");
  await expect(stat(path)).rejects.toThrow("ENOENT");

  await expect(chunks[Symbol.asyncIterator]().next()).rejects.toThrow("ENOENT");
});
