import type { SdkConfig } from "../config.ts";
import { findProxy } from "./proxy.ts";

/** How a server is reached: plain data. */
export interface HttpConnection {
  /** Time for the connection, and between two pieces of an answer. */
  readonly timeoutMs: number;
  readonly tls: TlsOptions;
  /** URL of the proxy, a user and password in it; undefined for a direct connection. */
  readonly proxy: string | undefined;
}

/** Texts are PEM. */
interface TlsOptions {
  /** Authorities that are trusted beside those of Node. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly rejectUnauthorized: boolean;
}

/** What of the configuration decides how `url` is reached. */
export function createConnection(config: SdkConfig, url: string, timeoutMs: number): HttpConnection {
  const { tlsCa, tlsCert, tlsKey, tlsRejectUnauthorized, httpProxy, httpsProxy, noProxy } = config;
  return {
    timeoutMs,
    tls: {
      ca: tlsCa,
      cert: tlsCert,
      key: tlsKey?.reveal(),
      rejectUnauthorized: tlsRejectUnauthorized,
    },
    proxy: findProxy(url, { http: httpProxy?.reveal(), https: httpsProxy?.reveal(), except: noProxy }),
  };
}
