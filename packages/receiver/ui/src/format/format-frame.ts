// `function file:line`, as the receiver writes frames when lines are told apart; the file has three segments or more.
const LONG_LOCATION = /^(.*) (?:\S*\/)([^/\s]+\/[^/\s]+:\d+)$/s;

const LOCATED = /^(.*) (\S+:\d+)$/s;

/** A frame's function, and its `file:line`, "" where the frame carries none. */
export function splitFrame(name: string): { readonly functionName: string; readonly location: string } {
  const [, functionName = name, location = ""] = LOCATED.exec(name) ?? [];
  return { functionName, location };
}

/** A frame's name with no more of its file than the last two segments: the part that tells lines apart stays in sight. */
export function shortenFrame(name: string): string {
  return name.replace(LONG_LOCATION, "$1 $2");
}
