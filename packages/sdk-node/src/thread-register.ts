// Loaded before the code of a worker thread that profileWorkerThreads() starts.
import process from "node:process";
import { takeThreadMark } from "./thread-options.ts";
// biome-ignore lint/suspicious/noImportCycles: that one only names this file, for tools that copy programs
import { sdk } from "./thread-sdk.ts";

const mark = takeThreadMark();

// The processes that this thread forks have the flags that the program knows of.
if (mark !== undefined) process.execArgv.splice(0, Number.POSITIVE_INFINITY, ...mark.execArgv);

if (mark?.isProfiled === true) sdk.startInherited();
