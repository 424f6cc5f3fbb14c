import type { MappingTable } from "../profile/profile.ts";
import { toLanes } from "../wire/column.ts";
import { columnBytes } from "../wire/column-buffer.ts";
import { IdTable } from "../wire/id-table.ts";
import { NumberFields } from "../wire/number-fields.ts";
import type { DecodeContext, Identified } from "./decode-context.ts";
import { toStringRow } from "./decode-strings.ts";
import { enterNext, stringIndexOf } from "./pprof-layout.ts";

/** Room that the table takes. */
export function mappingTableBytes(length: number): number {
  return columnBytes(length, 8, 8, 8, 4, 4, 1);
}

/** Decodes mappings; every field of the message is optional. */
export function decodeMappings({
  reader,
  layout,
  strings,
  columns,
  scratch,
}: DecodeContext): Identified<MappingTable> {
  const length = layout.mappings.count;
  const table = {
    length,
    start: columns.uint64(length),
    limit: columns.uint64(length),
    offset: columns.uint64(length),
    file: columns.uint32(length),
    buildId: columns.uint32(length),
    flags: columns.uint8(length),
  };
  const ids = scratch.int32(length * 2);
  const numbers = [ids, toLanes(table.start), toLanes(table.limit), toLanes(table.offset)];
  const fields = new NumberFields(10);
  reader.position = layout.mappings.start;
  for (let row = 0; row < length; row++) {
    const outer = enterNext(reader, layout.mappings);
    fields.read(reader);
    reader.leave(outer);
    for (let field = 1; field <= 4; field++) fields.writeTo(numbers[field - 1]!, row, field);
    table.file[row] = toStringRow(strings, stringIndexOf(fields, 5), "mapping file name string index");
    table.buildId[row] = toStringRow(strings, stringIndexOf(fields, 6), "mapping build id string index");
    for (let bit = 0; bit < 4; bit++) if (!fields.isZero(7 + bit)) table.flags[row]! |= 1 << bit;
  }
  return { table, ids: new IdTable(ids) };
}
