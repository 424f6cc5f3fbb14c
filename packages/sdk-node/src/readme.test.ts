import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { settings } from "./config.ts";

const readmeUrl = new URL("../README.md", import.meta.url);

/** The settings table as the README shows it. */
function formatOptions(): string {
  const rows = Object.values(settings).map(({ option, env, fallbackText, help }) => {
    const variables = env.map(({ name }) => `\`${name}\``).join(", ");
    return `| \`${option}\` | ${variables} | ${fallbackText} | ${help} |`;
  });
  return ["| Option | Environment | Default | Meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

describe("README.md", () => {
  it("lists every option as the settings table has it", () => {
    const readme = readFileSync(readmeUrl, "utf8");
    const expected = readme.replace(
      /(<!-- options:.*-->\n)[\s\S]*?(<!-- \/options -->)/,
      (_all, begin: string, end: string) => `${begin}${formatOptions()}\n${end}`,
    );
    // biome-ignore lint/style/noProcessEnv: how a developer asks the test to write the table anew
    if (process.env.UPDATE_README !== undefined) writeFileSync(readmeUrl, expected);

    expect(readFileSync(readmeUrl, "utf8")).toBe(expected);
  });
});
