/** Where the server listens. */
export interface BindAddress {
  /** A name or an IP address without brackets; empty: every interface. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/**
 * Reads `host:port`, `[::1]:4040` or `:4040` (every interface).
 *
 * @returns undefined when there is no port or it is outside 0..65535.
 */
export function parseBindAddress(text: string): BindAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]/\s]*)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  return port <= 65_535 ? { host: match[1] ?? match[2] ?? "", port } : undefined;
}

/** `127.0.0.1:4040`, `[::1]:4040`, `:4040`. */
export function formatBindAddress({ host, port }: BindAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Whether only programs on this machine can reach the address. */
export function isLoopback({ host }: BindAddress): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}
