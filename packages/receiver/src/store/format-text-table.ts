import type { TextTable } from "./block-views.ts";

// What would move the cursor, change colours or hide text of a terminal, and what is drawn right to left.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Lines of columns under their names; control characters are written as in JSON, NULL as nothing. */
export function formatTextTable({ columns, rows }: TextTable): string {
  const cells = [columns, ...rows].map((row) => row.map((cell) => escapeText(cell ?? "")));
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  const lines = cells.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join("  ")
      .trimEnd(),
  );
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [lines[0], rule, ...lines.slice(1), ""].join("\n");
}

/** RFC 4180 with line feeds; NULL is an empty field, an empty text is quoted. */
export function formatCsv({ columns, rows }: TextTable): string {
  return [columns, ...rows].map((row) => `${row.map(formatField).join(",")}\n`).join("");
}

function formatField(cell: string | null): string {
  if (cell === null) return "";
  const text = escapeText(cell);
  return text === "" || /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function escapeText(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, "0");
    return `\\u${code}`;
  });
}
