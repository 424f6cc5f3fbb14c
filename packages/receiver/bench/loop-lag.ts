/** Latest that the event loop of a receiver's HTTP thread was since this was last asked, in milliseconds. */
export async function loopLag(address: string): Promise<number> {
  const metrics = await (await fetch(`${address}/metrics`)).text();
  return 1000 * Number(/^nodejs_eventloop_lag_max_seconds (\S+)/m.exec(metrics)?.[1]);
}
