import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const root = new URL("../", import.meta.url);

describe("ARCHITECTURE.md", () => {
  it("has a row for every room", () => {
    const text = readFileSync(new URL("ARCHITECTURE.md", root), "utf8");
    const rooms = listFolders("packages").flatMap((name) =>
      listFolders(`packages/${name}/src`).map((room) => `packages/${name}/src/${room}`),
    );

    expect(rooms.filter((room) => !text.includes(`| \`${room}\` |`))).toEqual([]);
  });

  it("has no row for a room that is gone", () => {
    const text = readFileSync(new URL("ARCHITECTURE.md", root), "utf8");
    const rows = [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, room]) => room ?? "");

    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter((room) => listFolders(room) === NOTHING)).toEqual([]);
  });
});

const NOTHING: readonly string[] = [];

function listFolders(path: string): readonly string[] {
  try {
    return readdirSync(new URL(path, root), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return NOTHING;
  }
}
