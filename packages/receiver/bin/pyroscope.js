#!/usr/bin/env node
// Nothing is imported before the version is known: an old Node must reach the line that says what is needed.
const MIN_NODE = [22, 19];
const [major, minor] = process.versions.node.split(".").map(Number);

// Every running query and every flush holds a thread of libuv's pool, of which there are four unless the environment
// says otherwise; the log's writes must find a free one. It is read when the pool is first used, hence here.
// biome-ignore lint/style/noProcessEnv: libuv takes it from nowhere else.
process.env.UV_THREADPOOL_SIZE ??= "16";

if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) {
  import("../dist/main.js").catch((error) => {
    const isUnbuilt = error?.code === "ERR_MODULE_NOT_FOUND" && error.message.includes("dist/main.js");
    const text = isUnbuilt ? "the package is not built: run `npm run setup` first" : (error?.stack ?? error);
    process.stderr.write(`pyroscope: ${text}\n`);
    process.exit(1);
  });
} else {
  process.stderr.write(
    `pyroscope: needs Node ${MIN_NODE.join(".")} or newer, this is ${process.versions.node}\n`,
  );
  process.exit(1);
}
