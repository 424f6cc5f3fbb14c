import { labelSetFromRecord, ProfileBuilder } from "@pyroscope-ts/protocol";
import type { Admission, AdmittedProfile } from "../admission.ts";

/** A sample of a {@link PlainProfile}. */
interface PlainSample {
  /** Function names, root first. */
  readonly stack: readonly string[];
  readonly value: number | string;
  /** Hexadecimal, 16 digits. */
  readonly span?: string;
  /** Hexadecimal, 32 digits. */
  readonly trace?: string;
}

/** An admitted profile written down, for tests: it goes into the log as JSON. */
export interface PlainProfile {
  readonly service: string;
  readonly timeUnixMillis: number;
  readonly samples: readonly PlainSample[];
  readonly labels?: Readonly<Record<string, string>>;
  /** Tells profiles apart that are equal otherwise; the same text is the same profile. */
  readonly identity?: string;
}

/** The profile type of every {@link PlainProfile}. */
export const PLAIN_TYPE = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";

/** An admission of these profiles whose record {@link expandPlain} reads. */
export function plainAdmission(tenant: string, profiles: readonly PlainProfile[]): Admission {
  const record = Buffer.from(JSON.stringify(profiles));
  return { tenant, record, profiles: expandPlain(tenant, record) };
}

/** Makes the profiles of {@link plainAdmission} again. */
export function expandPlain(tenant: string, record: Uint8Array): readonly AdmittedProfile[] {
  const profiles = JSON.parse(Buffer.from(record).toString("utf8")) as readonly PlainProfile[];
  return profiles.map((plain) => admit(tenant, plain));
}

function admit(tenant: string, plain: PlainProfile): AdmittedProfile {
  const builder = new ProfileBuilder({
    sampleTypes: [{ type: "cpu", unit: "nanoseconds" }],
    periodType: { type: "cpu", unit: "nanoseconds" },
    period: 10_000_000n,
    durationNanos: 15_000_000_000n,
  });
  // The builder puts equal stacks together; the span label keeps apart what the store must keep apart.
  plain.samples.forEach((sample, i) => {
    const locations = sample.stack.map((name) =>
      builder.location({ lines: [{ function: builder.function({ name, file: `${name}.js` }), line: 7 }] }),
    );
    builder.addSample(locations.reverse(), [BigInt(sample.value)], [{ key: "row", number: i, unit: "row" }]);
  });
  const { samples } = plain;
  return {
    labels: labelSetFromRecord({ ...plain.labels, __name__: "process_cpu", service_name: plain.service }),
    timeUnixNanos: BigInt(plain.timeUnixMillis) * 1_000_000n,
    identity: identityOf(tenant, plain),
    profile: builder.build(),
    sampleRows: undefined,
    spanIds: samples.some(({ span }) => span !== undefined)
      ? BigUint64Array.from(samples, ({ span }) => BigInt(`0x${span ?? "0"}`))
      : undefined,
    traceIds: samples.some(({ trace }) => trace !== undefined)
      ? BigUint64Array.from(samples.flatMap(({ trace }) => halves(trace ?? "0".repeat(32))))
      : undefined,
  };
}

function halves(digits: string): readonly bigint[] {
  return [BigInt(`0x${digits.slice(0, 16)}`), BigInt(`0x${digits.slice(16)}`)];
}

/** FNV-1a over 128 bits: only tests rely on it. */
function identityOf(tenant: string, plain: PlainProfile): AdmittedProfile["identity"] {
  let hash = 0x6c62272e07bb014262b821756295c58dn;
  for (const byte of Buffer.from(plain.identity ?? JSON.stringify([tenant, plain]))) {
    hash = BigInt.asUintN(128, (hash ^ BigInt(byte)) * 0x1000000000000000000013bn);
  }
  return { hi: hash >> 64n, lo: BigInt.asUintN(64, hash) };
}
