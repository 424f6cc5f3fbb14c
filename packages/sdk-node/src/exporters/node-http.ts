// An `import` of node:http reads all that it exports, and some of that is only made when it is read: on Node 24 and 26 it loads
// http2, web streams and undici, some 3 MB in each thread. This way it loads what is used.
type Http = typeof import("node:http");
type Https = typeof import("node:https");
type Tls = typeof import("node:tls");

/** `node:http`. */
export const http: Http = process.getBuiltinModule("node:http");

/** `node:https`, loaded by the first call. */
export const loadHttps = (): Https => process.getBuiltinModule("node:https");

/** `node:tls`, loaded by the first call. */
export const loadTls = (): Tls => process.getBuiltinModule("node:tls");
