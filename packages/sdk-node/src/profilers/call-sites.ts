/** A call on a stack: the function, and where in it the call stands. */
export interface CallSite {
  /** Empty for a function without a name. */
  readonly name: string;
  readonly scriptName: string;
  /** 1-based; 0 when not known. */
  readonly line: number;
  /** 1-based; 0 when not known. */
  readonly column: number;
}

/** A stack that V8 has noted and nobody has read yet. */
export interface NotedStack {
  readonly stack?: unknown;
}

/** A function that the runtime calls where something begins. */
export type HookFunction = (...args: never[]) => void;

const MAX_FRAMES = 64;

/**
 * Notes the stack below `hook`, which is on it, with the functions that await those on it. The program's limit on the
 * depth of stacks is not ours.
 */
export function noteStack(hook: HookFunction): NotedStack {
  const holder: NotedStack = {};
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = MAX_FRAMES;
  try {
    Error.captureStackTrace(holder, hook);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  return holder;
}

/**
 * The calls of a noted stack, leaf first.
 *
 * V8 formats a stack when it is first read, through `Error.prepareStackTrace`: ours is there for that read only, so a
 * program neither sees it nor has its own called.
 */
export function readCallSites(noted: NotedStack): readonly CallSite[] {
  const own = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace");
  const prepare = (_error: unknown, sites: readonly NodeJS.CallSite[]): readonly CallSite[] =>
    sites.map(toCallSite);
  Object.defineProperty(Error, "prepareStackTrace", { configurable: true, writable: true, value: prepare });
  try {
    return Array.isArray(noted.stack) ? noted.stack : [];
  } finally {
    if (own === undefined) Reflect.deleteProperty(Error, "prepareStackTrace");
    else Object.defineProperty(Error, "prepareStackTrace", own);
  }
}

function toCallSite(site: NodeJS.CallSite): CallSite {
  return {
    name: site.getFunctionName() ?? "",
    scriptName: site.getScriptNameOrSourceURL() ?? "",
    line: site.getLineNumber() ?? 0,
    column: site.getColumnNumber() ?? 0,
  };
}
