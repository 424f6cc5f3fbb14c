import type { LocationTable } from "../profile/profile.ts";
import { toLanes } from "../wire/column.ts";
import { columnBytes } from "../wire/column-buffer.ts";
import { IdTable } from "../wire/id-table.ts";
import { NumberFields } from "../wire/number-fields.ts";
import type { DecodeContext, Identified } from "./decode-context.ts";
import { LineRows } from "./line-rows.ts";
import { enterNext, malformedPprof } from "./pprof-layout.ts";
import { checkLimit } from "./pprof-limits.ts";

/** Tag of the lines in a location. */
const LINE = 34;

/** Room that the table takes, without lines. */
export function locationTableBytes(length: number): number {
  return columnBytes(length, 4, 8, 1) + columnBytes(length + 1, 4);
}

/**
 * Decodes locations and their lines; a mapping or function that does not exist becomes `NO_MAPPING` or
 * `NO_FUNCTION`.
 *
 * @throws {@link ProtocolError} `PPROF_MALFORMED` for an id of 0, `PPROF_LIMIT`.
 */
export function decodeLocations(
  { reader, layout, limits, columns, scratch }: DecodeContext,
  references: { readonly mappings: IdTable; readonly functions: IdTable },
): Identified<LocationTable> & { readonly lines: LineRows } {
  const length = layout.locations.count;
  const table = {
    length,
    mapping: columns.int32(length),
    address: columns.uint64(length),
    lineStart: columns.uint32(length + 1),
    isFolded: columns.uint8(length),
  };
  const address = toLanes(table.address);
  const ids = scratch.int32(length * 2);
  // Most locations have one line.
  const lines = new LineRows(references.functions, scratch, length);
  const fields = new NumberFields(5);
  reader.position = layout.locations.start;
  for (let row = 0; row < length; row++) {
    const outer = enterNext(reader, layout.locations);
    fields.clear();
    for (let tag = fields.next(reader); tag !== 0; tag = fields.next(reader)) {
      if (tag === LINE) lines.read(reader);
      else reader.skipRest(tag, 5);
    }
    reader.leave(outer);
    if (fields.isZero(1)) throw malformedPprof("location id is 0");
    fields.writeTo(ids, row, 1);
    table.mapping[row] = references.mappings.rowOf(fields.lo(2), fields.hi(2));
    fields.writeTo(address, row, 3);
    table.isFolded[row] = fields.isZero(5) ? 0 : 1;
    const lineCount = lines.length - table.lineStart[row]!;
    if (lineCount > limits.maxLinesPerLocation) checkLimit(limits, "maxLinesPerLocation", lineCount);
    if (lines.length > limits.maxLines) checkLimit(limits, "maxLines", lines.length);
    table.lineStart[row + 1] = lines.length;
  }
  return { table, ids: new IdTable(ids), lines };
}
