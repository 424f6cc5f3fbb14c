import { ReceiverError } from "../errors.ts";

/** Lists of ids: row `i` is `items[start[i] .. start[i + 1]]`. */
export interface IdLists {
  /** One entry more than there are rows. */
  readonly start: Uint32Array;
  readonly items: BigUint64Array;
}

/** Lists of texts: row `i` is `items[start[i] .. start[i + 1]]`. */
export interface TextLists {
  /** One entry more than there are rows. */
  readonly start: Uint32Array;
  readonly items: readonly string[];
}

/** One column of a result, in the form that its SQL type has here. */
export type ResultColumn =
  /** BIGINT, TIMESTAMP_NS. */
  | { readonly kind: "bigints"; readonly values: BigInt64Array }
  /** UBIGINT. */
  | { readonly kind: "ids"; readonly values: BigUint64Array }
  /** INTEGER. */
  | { readonly kind: "integers"; readonly values: Int32Array }
  /** DOUBLE. */
  | { readonly kind: "doubles"; readonly values: Float64Array }
  /** BOOLEAN, as 0 and 1. */
  | { readonly kind: "booleans"; readonly values: Uint8Array }
  /** VARCHAR, UUID. */
  | { readonly kind: "texts"; readonly values: readonly string[] }
  /** UBIGINT[]. */
  | { readonly kind: "idLists"; readonly values: IdLists }
  /** VARCHAR[]. */
  | { readonly kind: "textLists"; readonly values: TextLists };

type ColumnKind = ResultColumn["kind"];
type ColumnValues<K extends ColumnKind> = Extract<ResultColumn, { kind: K }>["values"];

/**
 * What a query gave, as columns by name. NULL is 0, 0n, "" or the empty list of its column: a query that must tell
 * them apart asks for `x IS NULL` as a column of its own.
 *
 * Each accessor throws {@link ReceiverError} `INTERNAL` for a column that the query does not have, or that has
 * another type: that is a defect of the query's code, never of a request.
 */
export class ResultColumns {
  readonly rowCount: number;
  readonly #columns: ReadonlyMap<string, ResultColumn>;

  constructor(rowCount: number, columns: ReadonlyMap<string, ResultColumn>) {
    this.rowCount = rowCount;
    this.#columns = columns;
  }

  /** A column of BIGINT or TIMESTAMP_NS. */
  bigints(name: string): BigInt64Array {
    return this.#column(name, "bigints");
  }

  /** A column of UBIGINT. */
  ids(name: string): BigUint64Array {
    return this.#column(name, "ids");
  }

  /** A column of INTEGER. */
  integers(name: string): Int32Array {
    return this.#column(name, "integers");
  }

  /** A column of DOUBLE. */
  doubles(name: string): Float64Array {
    return this.#column(name, "doubles");
  }

  /** A column of BOOLEAN, as 0 and 1. */
  booleans(name: string): Uint8Array {
    return this.#column(name, "booleans");
  }

  /** A column of VARCHAR or UUID. */
  texts(name: string): readonly string[] {
    return this.#column(name, "texts");
  }

  /** A column of UBIGINT[]. */
  idLists(name: string): IdLists {
    return this.#column(name, "idLists");
  }

  /** A column of VARCHAR[]. */
  textLists(name: string): TextLists {
    return this.#column(name, "textLists");
  }

  #column<K extends ColumnKind>(name: string, kind: K): ColumnValues<K> {
    const column = this.#columns.get(name);
    if (column?.kind === kind) return column.values as ColumnValues<K>;
    const found = column === undefined ? `one of ${[...this.#columns.keys()].join(", ")}` : column.kind;
    throw new ReceiverError(`result column ${name} as ${kind}: the query has ${found}`, { code: "INTERNAL" });
  }
}
