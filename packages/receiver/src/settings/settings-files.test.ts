import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeFs } from "../store/node-fs.ts";
import { FaultyFs } from "../store/testing/faulty-fs.ts";
import { SettingsFiles } from "./settings-files.ts";
import type { StoredSetting } from "./settings-service.ts";

let root: string;
let directory: string;
let files: SettingsFiles;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "pyroscope-settings-"));
  directory = join(root, "settings");
  files = new SettingsFiles({ fs: nodeFs, directory });
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

function setting(name: string, value: string, modifiedUnixMillis = 1): StoredSetting {
  return { name, value, modifiedUnixMillis };
}

describe("SettingsFiles", () => {
  it("has what was set after a restart, sorted, for each tenant apart", async () => {
    await files.setSetting({ tenant: "a", setting: setting("b", "1") });
    await files.setSetting({ tenant: "a", setting: setting("a", "2") });
    await files.setSetting({ tenant: "../b", setting: setting("a", "3") });

    const restarted = new SettingsFiles({ fs: nodeFs, directory });

    expect(await restarted.listSettings({ tenant: "a" })).toEqual([setting("a", "2"), setting("b", "1")]);
    expect(await restarted.listSettings({ tenant: "../b" })).toEqual([setting("a", "3")]);
    expect(await restarted.listSettings({ tenant: "c" })).toEqual([]);
    expect((await readdir(directory)).sort()).toEqual(["%2E%2E%2Fb.json", "a.json"]);
  });

  it("replaces a setting by one of the same time or later, and refuses an older one", async () => {
    await files.setSetting({ tenant: "a", setting: setting("x", "1", 5) });
    await files.setSetting({ tenant: "a", setting: setting("x", "2", 5) });

    const older = files.setSetting({ tenant: "a", setting: setting("x", "3", 4) });

    await expect(older).rejects.toMatchObject({
      code: "CONFLICT",
      message: 'setting "x" of 4: one of 5 is stored',
    });
    expect(await files.listSettings({ tenant: "a" })).toEqual([setting("x", "2", 5)]);
  });

  it("loses no change of two at once", async () => {
    await Promise.all([
      files.setSetting({ tenant: "a", setting: setting("x", "1") }),
      files.setSetting({ tenant: "a", setting: setting("y", "2") }),
    ]);

    expect(await files.listSettings({ tenant: "a" })).toHaveLength(2);
  });

  it("forgets what was deleted, also twice", async () => {
    await files.setSetting({ tenant: "a", setting: setting("x", "1") });

    await files.deleteSetting({ tenant: "a", name: "x" });
    await files.deleteSetting({ tenant: "a", name: "x" });

    expect(await files.listSettings({ tenant: "a" })).toEqual([]);
  });

  it("takes what is at its limit and refuses what is one past it", async () => {
    const set = (name: string, value: string, time = 1) =>
      files.setSetting({ tenant: "a", setting: setting(name, value, time) });
    await set("n".repeat(256), "v".repeat(65_536));
    for (let i = 1; i < 100; i++) await set(`s${i}`, "");
    await set("s1", "again");

    await expect(set("one more", "")).rejects.toThrow("limit 100 settings");
    await expect(set("n".repeat(257), "")).rejects.toThrow("257 bytes, limit 256");
    await expect(set("s1", "v".repeat(65_537))).rejects.toThrow("65537 bytes, limit 65536");
    await expect(set("", "")).rejects.toThrow("setting without a name");
    await expect(set("s1", "", -1)).rejects.toThrow("-1 is not a time");
  });

  it.for(["writeFile", "rename", "syncDirectory"] as const)(
    "keeps the old settings when %s tears",
    async (broken) => {
      await files.setSetting({ tenant: "a", setting: setting("x", "old") });
      let isBroken = true;
      const fs = new FaultyFs(
        (operation) => (isBroken && operation === broken ? "tears" : "works"),
        "ENOSPC",
      );
      const faulty = new SettingsFiles({ fs, directory });

      const change = faulty.setSetting({ tenant: "a", setting: setting("x", "new", 2) });

      await expect(change).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
      expect((await faulty.listSettings({ tenant: "a" })).map(({ name }) => name)).toEqual(["x"]);
      isBroken = false;
      await faulty.setSetting({ tenant: "a", setting: setting("x", "newer", 3) });
      expect(await faulty.listSettings({ tenant: "a" })).toEqual([setting("x", "newer", 3)]);
    },
  );

  it.for(["{", '{"format":2,"settings":[]}', '{"format":1,"settings":[{"name":1}]}'])(
    "does not touch a file that it cannot read: %s",
    async (text) => {
      await files.setSetting({ tenant: "a", setting: setting("x", "1") });
      await writeFile(join(directory, "a.json"), text);

      const change = files.setSetting({ tenant: "a", setting: setting("x", "2", 2) });

      await expect(change).rejects.toMatchObject({ code: "STORAGE_FORMAT" });
    },
  );
});
