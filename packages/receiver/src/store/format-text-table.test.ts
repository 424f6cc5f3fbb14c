import { describe, expect, it } from "vitest";
import { formatCsv, formatTextTable } from "./format-text-table.ts";

const columns = ["name", "value"];

describe("formatTextTable", () => {
  it("lays columns under their names, with nothing for NULL", () => {
    const rows = [
      ["main", "12"],
      [null, "3"],
    ];

    expect(formatTextTable({ columns, rows })).toBe("name  value\n----  -----\nmain  12\n      3\n");
  });

  it.for([
    ["colours of a terminal", "a\u001b[31mb", "a\\u001b[31mb"],
    ["a line break", "a\nb", "a\\u000ab"],
    ["text from right to left", "a\u202eb", "a\\u202eb"],
    ["a character without width", "a\u200bb", "a\\u200bb"],
  ] as const)("lets %s reach no terminal", ([, text, shown]) => {
    expect(formatTextTable({ columns: [text], rows: [[text]] })).toBe(
      `${shown}\n${"-".repeat(shown.length)}\n${shown}\n`,
    );
    expect(formatCsv({ columns: [text], rows: [[text]] })).toBe(`${shown}\n${shown}\n`);
  });
});

describe("formatCsv", () => {
  it("quotes what has a comma or a quote, and tells an empty text from NULL", () => {
    const rows = [
      ['a,"b"', ""],
      [null, "3"],
    ];

    expect(formatCsv({ columns, rows })).toBe('name,value\n"a,""b""",""\n,3\n');
  });
});
