import { fileURLToPath } from "node:url";

/**
 * The environment of programs that tests start again and again: Node keeps what it compiled of their modules there, and
 * does not compile it the next time.
 */
export const compileCache: Readonly<Record<string, string>> = {
  NODE_COMPILE_CACHE: fileURLToPath(new URL("../../node_modules/.cache/e2e-compiled", import.meta.url)),
};
