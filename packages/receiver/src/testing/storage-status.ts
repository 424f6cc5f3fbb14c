import type { StorageStatus } from "../worker/storage-service.ts";

/** The status of a storage that has nothing, unless changed. */
export function storageStatus(changes: Partial<StorageStatus> = {}): StorageStatus {
  return {
    ...{ headRowCount: 0, headBytes: 0, headProfileCount: 0, activeSeriesCount: 0 },
    ...{ blockCount: 0, blockBytes: 0, logSegmentCount: 0, logBytes: 0 },
    ...{ quarantinedBlockCount: 0, quarantinedLogPieceCount: 0, duplicateProfileCount: 0 },
    ...{ failedBlockWriteCount: 0, unshippedBlockCount: 0, takesWrites: true },
    ...{ cachedAnswerBytes: 0, cacheHitCount: 0, cacheMissCount: 0, joinedQueryCount: 0 },
    ...changes,
  };
}
