/** What is waited for, as it stands at the end of a stack. */
export type WaitKind =
  | "(timer)"
  | "(file system)"
  | "(dns)"
  | "(crypto)"
  | "(child process)"
  | "(http request)"
  | "(fetch)";

// The names that Node gives its asynchronous resources. Those that are no single wait are missing: sockets and streams,
// which are called many times, and a handle of zlib, which waits for its data first.
const KINDS: ReadonlyMap<string, WaitKind> = new Map<string, WaitKind>([
  ["Timeout", "(timer)"],
  ["FSREQCALLBACK", "(file system)"],
  ["FSREQPROMISE", "(file system)"],
  ["FILEHANDLECLOSEREQ", "(file system)"],
  ["GETADDRINFOREQWRAP", "(dns)"],
  ["GETNAMEINFOREQWRAP", "(dns)"],
  ["QUERYWRAP", "(dns)"],
  ["PROCESSWRAP", "(child process)"],
  ...[
    ...["CHECKPRIMEREQUEST", "CIPHERREQUEST", "DERIVEBITSREQUEST", "HASHREQUEST", "KEYEXPORTREQUEST"],
    ...["KEYGENREQUEST", "KEYPAIRGENREQUEST", "PBKDF2REQUEST", "RANDOMBYTESREQUEST", "RANDOMPRIMEREQUEST"],
    ...["SCRYPTREQUEST", "SIGNREQUEST", "VERIFYREQUEST"],
  ].map((type): [string, WaitKind] => [type, "(crypto)"]),
]);

/** The wait that an asynchronous resource of Node is, or undefined. */
export function waitKindOf(resourceType: string): WaitKind | undefined {
  return KINDS.get(resourceType);
}
