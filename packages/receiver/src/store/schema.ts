/** Version of the block format, in every `meta.json`. `docs/storage-format.md` has the history. */
export const FORMAT_VERSION = 2;

/** The tables of a block; the head has the same. */
export const TABLE_NAMES = ["samples", "totals", "series", "stacks", "frames"] as const;
export type TableName = (typeof TABLE_NAMES)[number];

/** One column: its name in SQL and Parquet, its DuckDB type, and what it holds. */
interface Column {
  readonly name: string;
  readonly type: string;
  readonly help: string;
}

/** One table of a block. */
export interface Table {
  /** Path inside the block's directory. */
  readonly file: string;
  /** One row per …. */
  readonly row: string;
  /** In the order of the file. */
  readonly columns: readonly Column[];
  /** Rows are in this order; it decides size and what a query can skip. */
  readonly order: readonly string[];
  /** Columns of `order` that rows of a block which was never merged are in order of, if not all: the first so many. */
  readonly flushedOrderLength?: number;
}

const TYPE: Column = {
  name: "type",
  type: "VARCHAR",
  help: "Profile type id: name:sampleType:sampleUnit:periodType:periodUnit.",
};
const SERVICE: Column = { name: "service", type: "VARCHAR", help: "Label service_name of the series." };
const SERIES: Column = { name: "series", type: "UBIGINT", help: "Hash of the series' label set." };
const TIME: Column = { name: "time", type: "TIMESTAMP_NS", help: "Start of the profile, UTC." };
const PROFILE: Column = {
  name: "profile",
  type: "UUID",
  help: "Identity of the profile: hashes of tenant and labels, and of time and payload, 64 bits each. One upload counts once by it.",
};

/** Every table and column on disk: what `docs/storage-format.md` describes and a test compares. */
export const tables: { readonly [K in TableName]: Table } = {
  samples: {
    file: "profiles.parquet",
    row: "stack (and span, and trace) of one profile and type, with a value that is not 0",
    columns: [
      TYPE,
      SERVICE,
      SERIES,
      TIME,
      PROFILE,
      { name: "stack", type: "UBIGINT", help: "Row of stacks.parquet." },
      { name: "value", type: "BIGINT", help: "Sum of the samples, in the sample unit of the type." },
      {
        name: "span_id",
        type: "UBIGINT",
        help: "The 16 hexadecimal digits as one big-endian number, or NULL.",
      },
      { name: "trace_id", type: "UUID", help: "The 32 hexadecimal digits as a UUID, or NULL." },
    ],
    order: ["type", "service", "series", "time", "profile", "stack"],
    flushedOrderLength: 5,
  },
  totals: {
    file: "totals.parquet",
    row: "profile and type",
    columns: [
      TYPE,
      SERVICE,
      SERIES,
      TIME,
      PROFILE,
      {
        name: "total",
        type: "BIGINT",
        help: "Sum of the profile's samples, in the sample unit of the type.",
      },
      { name: "samples", type: "INTEGER", help: "Rows of the profile in profiles.parquet." },
      {
        name: "profiles",
        type: "INTEGER",
        help: "How many profiles the row stands for: 1, more after a roll-up.",
      },
      { name: "duration", type: "BIGINT", help: "Length of the profile in nanoseconds, 0 when not given." },
      { name: "period", type: "BIGINT", help: "Events between two samples, in the period unit of the type." },
    ],
    order: ["type", "service", "series", "time", "profile"],
  },
  series: {
    file: "series.parquet",
    row: "series and type",
    columns: [
      TYPE,
      SERVICE,
      SERIES,
      {
        name: "labels",
        type: "MAP(VARCHAR, VARCHAR)",
        help: "The series' labels, __name__ and service_name too.",
      },
    ],
    order: ["type", "service", "series"],
  },
  stacks: {
    file: "symdb/stacks.parquet",
    row: "stack",
    columns: [
      { name: "stack", type: "UBIGINT", help: "Hash of its frames." },
      {
        name: "frames",
        type: "UBIGINT[]",
        help: "Rows of frames.parquet, root first, inlined frames in place.",
      },
    ],
    order: ["frames"],
    flushedOrderLength: 0,
  },
  frames: {
    file: "symdb/frames.parquet",
    row: "frame",
    columns: [
      { name: "frame", type: "UBIGINT", help: "Hash of the other columns." },
      { name: "function", type: "VARCHAR", help: "Name as shown; empty when known by address only." },
      { name: "system_name", type: "VARCHAR", help: "Name as the linker has it." },
      { name: "file", type: "VARCHAR", help: "Source file." },
      { name: "start_line", type: "BIGINT", help: "First line of the function, 0 when not known." },
      { name: "line", type: "BIGINT", help: "Line that ran, 0 when not known." },
      { name: "inlined", type: "BOOLEAN", help: "Whether it is inlined into the frame before it." },
      { name: "mapping", type: "VARCHAR", help: "File of the binary." },
      { name: "build_id", type: "VARCHAR", help: "Build id of the binary; only where there is no function." },
      { name: "address", type: "UBIGINT", help: "Address in the binary; only where there is no function." },
    ],
    order: ["file", "function", "line", "frame"],
  },
};
