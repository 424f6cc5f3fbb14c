import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { decodePprof, type Profile } from "@pyroscope-ts/protocol";
import { fromBinary, PushRequestSchema } from "@pyroscope-ts/protocol/messages";

/** One request as it came. */
interface ReceivedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One profile of a push, decoded. */
export interface ReceivedProfile {
  readonly labels: Readonly<Record<string, string>>;
  readonly profile: Profile;
}

/** Answers a request whose body has arrived. */
export type Answer = (response: ServerResponse, request: ReceivedRequest) => void;

/** A server that keeps what SDKs send to it. */
export interface FakeReceiver {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** Profiles of every push so far. */
  readonly profiles: () => readonly ReceivedProfile[];
  /** Resolves when `count` requests have arrived. */
  readonly waitForRequests: (count: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

const accept: Answer = (response) => {
  response.writeHead(200, { "content-type": "application/proto" }).end();
};

/** Starts a receiver on a free port of the loopback; `answer` decides what it says. */
export async function startFakeReceiver(answer: Answer = accept): Promise<FakeReceiver> {
  const requests: ReceivedRequest[] = [];
  let arrived = () => {};
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const received = { method, url, headers, body: Buffer.concat(chunks) };
      requests.push(received);
      arrived();
      answer(response, received);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    requests,
    profiles: () => requests.flatMap(({ body }) => decodePush(body)),
    async waitForRequests(count) {
      while (requests.length < count) {
        await new Promise<void>((resolve) => {
          arrived = resolve;
        });
      }
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function decodePush(body: Buffer): ReceivedProfile[] {
  return fromBinary(PushRequestSchema, body).series.flatMap(({ labels, samples }) =>
    samples.map(({ rawProfile }) => ({
      labels: Object.fromEntries(labels.map(({ name, value }) => [name, value])),
      profile: decodePprof(gunzipSync(rawProfile)),
    })),
  );
}

/** One sample in words. */
export interface ReadSample {
  /** Leaf first. */
  readonly frames: readonly { readonly name: string; readonly file: string; readonly line: number }[];
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The samples of a profile with one sample type. */
export function readSamples(profile: Profile): ReadSample[] {
  const { samples, labels, locations, lines, functions, strings } = profile;
  return Array.from({ length: samples.length }, (_, sample) => {
    const rows = samples.location.subarray(samples.locationStart[sample], samples.locationStart[sample + 1]);
    const frames = Array.from(rows, (location) => {
      const line = locations.lineStart[location] ?? 0;
      const fn = lines.function[line] ?? 0;
      return {
        name: strings[functions.name[fn] ?? 0] ?? "",
        file: strings[functions.file[fn] ?? 0] ?? "",
        line: Number(lines.line[line]),
      };
    });
    const pairs: [string, string][] = [];
    for (let row = samples.labelStart[sample] ?? 0; row < (samples.labelStart[sample + 1] ?? 0); row++) {
      pairs.push([strings[labels.key[row] ?? 0] ?? "", strings[labels.text[row] ?? 0] ?? ""]);
    }
    return { frames, labels: Object.fromEntries(pairs), value: Number(samples.values[sample]) };
  });
}

/** Runs `use` with a receiver, and closes it. */
export async function withReceiver<T>(use: (receiver: FakeReceiver) => Promise<T>): Promise<T> {
  const receiver = await startFakeReceiver();
  try {
    return await use(receiver);
  } finally {
    await receiver.close();
  }
}

/** Each profile as `name:sample type`, sorted. */
export function profileTypes(profiles: readonly ReceivedProfile[]): string[] {
  return profiles.map(({ profile, labels }) => `${labels.__name__}:${profile.sampleTypes[0]?.type}`).sort();
}

/** The functions on the stacks of the profiles with a name. */
export function functionNames(profiles: readonly ReceivedProfile[], name: string): Set<string> {
  const named = profiles.filter(({ labels }) => labels.__name__ === name);
  const samples = named.flatMap(({ profile }) => readSamples(profile));
  return new Set(samples.flatMap(({ frames }) => frames.map((frame) => frame.name)));
}
