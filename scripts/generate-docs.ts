// Writes docs/configuration.md from the settings tables; with --check it only says whether the file is fresh.
// Run it with the sources of the workspace: node --conditions=@pyroscope-ts/source scripts/generate-docs.ts
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { settingRows } from "../packages/receiver/src/config.ts";
import { settings as sdkSettings } from "../packages/sdk-node/src/config.ts";

const target = fileURLToPath(new URL("../docs/configuration.md", import.meta.url));

function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  return `${lines.join("\n")}\n`;
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

/** Names such as __name__ would turn bold. */
function formatHelp(text: string): string {
  return escapeCell(text).replaceAll(/__\w+__/g, (name) => `\`${name}\``);
}

function formatCode(text: string): string {
  return text === "" ? "" : `\`${escapeCell(text)}\``;
}

function formatReceiver(): string {
  const groups = [...new Set(settingRows.map(({ group }) => group))];
  const sections = groups.map((group) => {
    const rows = settingRows
      .filter((row) => row.group === group)
      .map(({ flag, environmentName, defaultText, help }) => [
        formatCode(`--${flag}`),
        formatCode(environmentName),
        formatCode(defaultText),
        formatHelp(help),
      ]);
    return `### ${group}\n\n${formatTable(["Flag", "Environment", "Default", "Meaning"], rows)}`;
  });
  return sections.join("\n");
}

function formatSdk(): string {
  const rows = Object.values(sdkSettings).map(({ option, env, fallbackText, help }) => [
    formatCode(option),
    env.map(({ name }) => formatCode(name)).join(", "),
    formatCode(fallbackText),
    formatHelp(help),
  ]);
  return formatTable(["Option", "Environment", "Default", "Meaning"], rows);
}

const text = `# Configuration

Generated from the settings tables by \`scripts/generate-docs.ts\`; do not edit.

## Receiver

\`pyroscope server\` takes each setting as a flag or as an environment variable. A flag wins over the environment, the
environment over the default; an empty variable counts as not set. A value that cannot be used stops the start with
exit code 2 and one line that names it. The log line \`starting\` lists the settings that differ from their defaults;
tokens are shown as \`***\`.

Durations are written \`30d\`, \`1h30m\` or \`500ms\`.

${formatReceiver()}
## SDK

\`Pyroscope.start(options)\` takes each setting as an option or from the environment. An option wins over the environment,
the environment over the default. A bad value logs one line and the next source stands, unless \`strict\` is set.

${formatSdk()}`;

if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== text) {
    console.error("docs/configuration.md is stale: run `npm run generate:docs`");
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
