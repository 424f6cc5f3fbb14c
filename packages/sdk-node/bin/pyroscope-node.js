#!/usr/bin/env node
// Nothing is imported before the version is known: an old Node must reach the line that says what is needed.
const MIN_NODE = [20, 19];
const [major, minor] = process.versions.node.split(".").map(Number);

if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) {
  const { main } = await import("#cli");
  await main();
} else {
  process.stderr.write(
    `pyroscope-node: needs Node ${MIN_NODE.join(".")} or newer, this is ${process.versions.node}\n`,
  );
  process.exitCode = 1;
}
