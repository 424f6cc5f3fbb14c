/** Does something now, or in a later turn of the event loop. */
export type InTurn = (act: () => void, weight?: number) => void;

/**
 * Makes what does so much in each turn of the event loop, first come, first served: things are begun until their weights
 * reach `maxWeight`.
 */
export function createTurns(maxWeight: number): InTurn {
  const waiting: { readonly act: () => void; readonly weight: number }[] = [];
  let doneWeight = 0;
  let isTurnPlanned = false;

  const planTurn = (): void => {
    if (isTurnPlanned) return;
    isTurnPlanned = true;
    setImmediate(takeTurn);
  };

  const run = (act: () => void, weight: number): void => {
    doneWeight += weight;
    planTurn();
    act();
  };

  const takeTurn = (): void => {
    isTurnPlanned = false;
    doneWeight = 0;
    while (doneWeight < maxWeight) {
      const next = waiting.shift();
      if (next === undefined) break;
      run(next.act, next.weight);
    }
    if (waiting.length > 0) planTurn();
  };

  return (act, weight = 1) => {
    if (doneWeight < maxWeight && waiting.length === 0) run(act, weight);
    else waiting.push({ act, weight });
  };
}
