/** The proxies of a program, and what is reached without one. */
export interface ProxySettings {
  /** For `http://` servers; a URL. */
  readonly http: string | undefined;
  /** For `https://` servers; a URL. */
  readonly https: string | undefined;
  /** Names of servers, `.domain`, `*.domain`, `address:port` or `*`, separated by commas or spaces. */
  readonly except: string | undefined;
}

/**
 * The proxy for `url`; undefined for a direct connection. As in Go, this machine is never reached through a proxy: the
 * default server is on it.
 */
export function findProxy(url: string, { http, https, except }: ProxySettings): string | undefined {
  const { protocol, hostname, port } = new URL(url);
  const proxy = protocol === "https:" ? https : http;
  if (proxy === undefined || isLoopback(hostname)) return undefined;
  const host = {
    name: hostname.replace(/^\[|\]$/g, ""),
    port: port || (protocol === "https:" ? "443" : "80"),
  };
  const entries = (except ?? "").toLowerCase().split(/[,\s]+/);
  return entries.some((entry) => matches(entry, host)) ? undefined : proxy;
}

function matches(entry: string, { name, port }: { readonly name: string; readonly port: string }): boolean {
  if (entry === "") return false;
  if (entry === "*") return true;
  const [, pattern = entry, entryPort] = /^(.*[^:]|\[.*\]):(\d+)$/.exec(entry) ?? [];
  if (entryPort !== undefined && entryPort !== port) return false;
  const domain = pattern.replace(/^\[|\]$/g, "").replace(/^\*?\./, "");
  return name === domain || name.endsWith(`.${domain}`);
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
