// `function file:line`, as the receiver writes frames when lines are told apart; the file has three segments or more.
const LONG_LOCATION = /^(.*) (?:\S*\/)([^/\s]+\/[^/\s]+:\d+)$/s;

/** A frame's name with no more of its file than the last two segments: the part that tells lines apart stays in sight. */
export function shortenFrame(name: string): string {
  return name.replace(LONG_LOCATION, "$1 $2");
}
