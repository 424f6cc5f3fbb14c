import type { FunctionTable } from "../profile/profile.ts";
import { toLanes } from "../wire/column.ts";
import { columnBytes } from "../wire/column-buffer.ts";
import { IdTable } from "../wire/id-table.ts";
import { NumberFields } from "../wire/number-fields.ts";
import type { DecodeContext, Identified } from "./decode-context.ts";
import { toStringRow } from "./decode-strings.ts";
import { enterNext, malformedPprof, stringIndexOf } from "./pprof-layout.ts";

/** Room that the table takes. */
export function functionTableBytes(length: number): number {
  return columnBytes(length, 4, 4, 4, 8);
}

/**
 * Decodes functions.
 *
 * @throws {@link ProtocolError} `PPROF_MALFORMED` for an id of 0 and a bad string index.
 */
export function decodeFunctions({
  reader,
  layout,
  strings,
  columns,
  scratch,
}: DecodeContext): Identified<FunctionTable> {
  const length = layout.functions.count;
  const table = {
    length,
    name: columns.uint32(length),
    systemName: columns.uint32(length),
    file: columns.uint32(length),
    startLine: columns.int64(length),
  };
  const startLine = toLanes(table.startLine);
  const ids = scratch.int32(length * 2);
  const fields = new NumberFields(5);
  reader.position = layout.functions.start;
  for (let row = 0; row < length; row++) {
    const outer = enterNext(reader, layout.functions);
    fields.read(reader);
    reader.leave(outer);
    if (fields.isZero(1)) throw malformedPprof("function id is 0");
    fields.writeTo(ids, row, 1);
    table.name[row] = toStringRow(strings, stringIndexOf(fields, 2), "function name string index");
    table.systemName[row] = toStringRow(
      strings,
      stringIndexOf(fields, 3),
      "function system name index string",
    );
    table.file[row] = toStringRow(strings, stringIndexOf(fields, 4), "function file name string index");
    fields.writeTo(startLine, row, 5);
  }
  return { table, ids: new IdTable(ids) };
}
