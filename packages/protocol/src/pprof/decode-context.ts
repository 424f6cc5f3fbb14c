import type { ColumnBuffer } from "../wire/column-buffer.ts";
import type { IdTable } from "../wire/id-table.ts";
import type { ProtobufReader } from "../wire/protobuf-reader.ts";
import type { Scratch } from "../wire/scratch.ts";
import type { PprofStrings } from "./decode-strings.ts";
import type { PprofLayout } from "./pprof-layout.ts";
import type { PprofLimits } from "./pprof-limits.ts";

/** What the decoders of all tables share. */
export interface DecodeContext {
  readonly reader: ProtobufReader;
  readonly layout: PprofLayout;
  readonly limits: PprofLimits;
  readonly strings: PprofStrings;
  /** Where the columns go whose length the layout tells. */
  readonly columns: ColumnBuffer;
  readonly scratch: Scratch;
}

/** A table and the ids that its rows have on the wire. */
export interface Identified<T> {
  readonly table: T;
  readonly ids: IdTable;
}
