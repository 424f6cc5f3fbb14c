import { ProtocolError } from "../errors.ts";
import { NO_FUNCTION, NO_MAPPING, type Profile } from "./profile.ts";

/**
 * Checks every invariant of a {@link Profile}: lengths of columns, rows that exist, offsets that ascend and end where
 * their table ends, string 0, each string once.
 *
 * What the decoder, the builder and the algebra return passes. It is for profiles from elsewhere, and for tests.
 *
 * @throws {@link ProtocolError} `PROFILE_BAD_INDEX` that names the first column and row that is wrong.
 */
export function checkProfile(profile: Profile): void {
  const { strings, samples, labels, locations, lines, functions, mappings } = profile;
  checkStrings(strings);
  checkLengths("samples", samples.length, { values: samples.values.length / profile.sampleTypes.length });
  checkStarts("samples.locationStart", samples.locationStart, samples.length, samples.location.length);
  checkStarts("samples.labelStart", samples.labelStart, samples.length, labels.length);
  checkRows("samples.location", samples.location, 0, locations.length);
  checkTable("labels", labels);
  for (const column of ["key", "text", "unit"] as const)
    checkRows(`labels.${column}`, labels[column], 0, strings.length);
  const { lineStart, ...locationColumns } = locations;
  checkTable("locations", locationColumns);
  checkStarts("locations.lineStart", lineStart, locations.length, lines.length);
  checkRows("locations.mapping", locations.mapping, NO_MAPPING, mappings.length);
  checkTable("lines", lines);
  checkRows("lines.function", lines.function, NO_FUNCTION, functions.length);
  checkTable("functions", functions);
  for (const column of ["name", "systemName", "file"] as const) {
    checkRows(`functions.${column}`, functions[column], 0, strings.length);
  }
  checkTable("mappings", mappings);
  for (const column of ["file", "buildId"] as const) {
    checkRows(`mappings.${column}`, mappings[column], 0, strings.length);
  }
}

function checkStrings(strings: readonly string[]): void {
  if (strings[0] !== "") throw badIndex(`strings[0] is ${JSON.stringify(strings[0])}: expected ""`);
  const distinct = new Set(strings);
  if (distinct.size !== strings.length) {
    throw badIndex(
      `strings has ${strings.length} rows, ${distinct.size} of them different: expected each string once`,
    );
  }
}

/** Checks that all columns of a table have as many rows as the table. */
function checkTable(name: string, { length, ...columns }: { readonly length: number } & object): void {
  const lengths = Object.entries(columns as Readonly<Record<string, ArrayLike<unknown>>>);
  checkLengths(name, length, Object.fromEntries(lengths.map(([column, rows]) => [column, rows.length])));
}

function checkLengths(name: string, length: number, actual: Readonly<Record<string, number>>): void {
  for (const [column, rows] of Object.entries(actual)) {
    if (rows !== length) throw badIndex(`${name}.${column} has ${rows} rows: expected ${length}`);
  }
}

function checkStarts(name: string, starts: Uint32Array, length: number, end: number): void {
  if (starts.length !== length + 1)
    throw badIndex(`${name} has ${starts.length} rows: expected ${length + 1}`);
  if (starts[0] !== 0) throw badIndex(`${name}[0] is ${starts[0]}: expected 0`);
  for (let row = 1; row <= length; row++) {
    if (starts[row]! < starts[row - 1]!) {
      throw badIndex(
        `${name}[${row}] is ${starts[row]}: expected at least ${starts[row - 1]}, the row before`,
      );
    }
  }
  if (starts[length] !== end) throw badIndex(`${name}[${length}] is ${starts[length]}: expected ${end}`);
}

function checkRows(name: string, rows: Uint32Array | Int32Array, first: number, length: number): void {
  const bad = rows.findIndex((row) => row < first || row >= length);
  if (bad >= 0)
    throw badIndex(`${name}[${bad}] is ${rows[bad]}: expected a row from ${first} to ${length - 1}`);
}

function badIndex(message: string): ProtocolError {
  return new ProtocolError(`checking a profile: ${message}`, { code: "PROFILE_BAD_INDEX" });
}
