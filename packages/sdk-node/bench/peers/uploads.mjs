// What profilers upload, however they do it: a server for each that keeps bodies, and the profiles in them.
import { once } from "node:events";
import { createServer } from "node:http";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { decodePprof } from "@pyroscope-ts/protocol";
import { fromBinary, PushRequestSchema } from "@pyroscope-ts/protocol/messages";

/** A server that takes everything and keeps it. */
export async function startCollector() {
  const uploads = [];
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      uploads.push({ type: request.headers["content-type"] ?? "", body: Buffer.concat(chunks) });
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    uploads,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function unpack(bytes) {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes);
  if (bytes.readUInt32LE(0) === 0xfd2fb528) return zstdDecompressSync(bytes);
  return bytes;
}

function splitParts(body, type) {
  const boundary = /boundary="?([^";]+)/.exec(type)?.[1];
  if (boundary === undefined) return [];
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const parts = [];
  for (let from = body.indexOf("\r\n\r\n"); from >= 0; from = body.indexOf("\r\n\r\n", from)) {
    const until = body.indexOf(delimiter, from + 4);
    if (until < 0) break;
    parts.push(body.subarray(from + 4, until));
    from = until + delimiter.length;
  }
  return parts;
}

function tryDecode(bytes) {
  try {
    return [decodePprof(unpack(bytes))];
  } catch {
    // A part that is no profile: metadata of the upload.
    return [];
  }
}

/** The profiles of an upload. */
export function readProfiles({ type, body }) {
  if (type.startsWith("multipart/")) return splitParts(body, type).flatMap(tryDecode);
  if (type !== "application/proto") return tryDecode(body);
  return fromBinary(PushRequestSchema, body).series.flatMap(({ samples }) =>
    samples.flatMap(({ rawProfile }) => tryDecode(Buffer.from(rawProfile))),
  );
}

/** Index of CPU time among the sample types of a profile, else of wall time, else -1. */
function findTime({ sampleTypes }) {
  const types = sampleTypes.map(({ type }) => type);
  return types.includes("cpu") ? types.indexOf("cpu") : types.indexOf("wall");
}

const burners = ["most", "some", "little"];

/** Names on the stack of a sample; one of them says `file:name:line`. */
function namesOf({ samples, locations, lines, functions, strings }, sample) {
  const rows = samples.location.subarray(samples.locationStart[sample], samples.locationStart[sample + 1]);
  return Array.from(rows, (row) => {
    const name = strings[functions.name[lines.function[locations.lineStart[row]]]] ?? "";
    return name.split(":").at(-2) ?? name;
  });
}

function routeOf({ samples, labels, strings }, sample) {
  for (let row = samples.labelStart[sample]; row < samples.labelStart[sample + 1]; row++) {
    if (strings[labels.key[row]] === "route") return strings[labels.text[row]];
  }
  return undefined;
}

/** Time of the planted functions, and how much of it has the label of its function. */
export function sumPlanted(profiles) {
  const time = { most: 0, some: 0, little: 0 };
  let labelled = 0;
  const timed = profiles.filter((profile) => findTime(profile) >= 0);
  const withCpu = timed.filter(({ sampleTypes }) => sampleTypes.some(({ type }) => type === "cpu"));
  for (const profile of withCpu.length > 0 ? withCpu : timed) {
    const width = profile.sampleTypes.length;
    for (let sample = 0; sample < profile.samples.length; sample++) {
      const names = namesOf(profile, sample);
      const burner = burners.find((name) => names.includes(name));
      if (burner === undefined) continue;
      const value = Number(profile.samples.values[sample * width + findTime(profile)]);
      time[burner] += value;
      if (routeOf(profile, sample) === `/${burner}`) labelled += value;
    }
  }
  const total = time.most + time.some + time.little;
  const shares = burners.map((name) => (100 * time[name]) / total);
  return { shares, labelledShare: labelled / total, total };
}
