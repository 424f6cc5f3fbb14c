import type { StoreStatus } from "../store/store.ts";

/** The status of a store that has nothing, unless changed. */
export function storeStatus(changes: Partial<StoreStatus> = {}): StoreStatus {
  return {
    ...{ headRowCount: 0, headBytes: 0, headProfileCount: 0, activeSeriesCount: 0 },
    ...{ blockCount: 0, blockBytes: 0, logSegmentCount: 0, logBytes: 0 },
    ...{ quarantinedBlockCount: 0, quarantinedLogPieceCount: 0, duplicateProfileCount: 0 },
    ...{ failedBlockWriteCount: 0, unshippedBlockCount: 0, takesWrites: true },
    ...changes,
  };
}
