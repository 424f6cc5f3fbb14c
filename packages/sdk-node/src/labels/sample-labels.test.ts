import { describe, expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { LabelSets } from "./label-set.ts";
import type { ProfiledSpan, SampleContext } from "./sample-context.ts";
import { toContext } from "./sample-context.ts";
import { SampleLabelReader } from "./sample-labels.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const SPAN_ID = "b7ad6b7169203331";

function createSpan(more: Partial<ProfiledSpan> = {}): ProfiledSpan {
  return { traceId: TRACE_ID, spanId: SPAN_ID, name: "GET /a", endTimeMs: undefined, ...more };
}

/** A monotonic clock `aheadMs` behind a system clock, which tells whole milliseconds and moves by 10 µs when read. */
class CoarseClock extends ManualClock {
  #unixMs: number;
  #aheadMs: number;
  /** How long the thread is suspended after it has read the first time of the next millisecond. */
  suspendMs = 0;

  constructor(startUnixMs: number, aheadMs: number) {
    super(startUnixMs);
    this.#unixMs = startUnixMs;
    this.#aheadMs = aheadMs;
  }

  override nowUnixMs(): number {
    const before = Math.floor(this.#unixMs);
    this.#unixMs += 0.01;
    const told = Math.floor(this.#unixMs);
    if (told > before) {
      this.#unixMs += this.suspendMs;
      this.suspendMs = 0;
    }
    return told;
  }

  override nowMonotonicMs(): number {
    return this.#unixMs - this.#aheadMs;
  }

  /** As a correction of the system clock does. */
  setBack(ms: number): void {
    this.#unixMs -= ms;
    this.#aheadMs -= ms;
  }
}

function createReader(clock: ManualClock = new ManualClock()) {
  const said: string[] = [];
  const sets = new LabelSets({ maxValues: 3, maxSets: 9, maxLabels: 9 }, (key) => said.push(key));
  const reader = new SampleLabelReader(sets, clock);
  const compare = (more: Partial<SampleContext>): boolean =>
    reader.compareClocks({ ...toContext(sets.empty), ...more });
  const read = (more: Partial<SampleContext>, timestamp?: bigint): Record<string, string> => {
    const labels = reader.read({ ...toContext(sets.empty), ...more }, timestamp)?.labels ?? [];
    return Object.fromEntries(labels.map(({ name, value }) => [name, value]));
  };
  return { compare, read, reader, said, sets };
}

describe("SampleLabelReader", () => {
  it("folds names of spans without number, and keeps every id", () => {
    const { read, said } = createReader();
    const names = new Set<string | undefined>();
    const ids = new Set<string | undefined>();

    for (let i = 0; i < 100_000; i++) {
      const spanId = i.toString(16).padStart(16, "0");
      const labels = read({ span: createSpan({ spanId, name: `GET /user/${i}` }) });
      names.add(labels.span_name);
      ids.add(labels.span_id);
    }

    expect([...names]).toEqual(["GET /user/0", "GET /user/1", "GET /user/2", "__overflow__"]);
    expect(ids.size).toBe(100_000);
    expect(new Set(said).size).toBe(1);
  });

  it("gives a sample of no context no labels", () => {
    expect(createReader().reader.read(undefined, 1n)).toBeUndefined();
  });

  it("puts a span's ids and name beside the labels", () => {
    const { read, sets } = createReader();

    const labels = read({ labels: sets.merge(sets.empty, { route: "/a" }), span: createSpan() });

    expect(labels).toEqual({ route: "/a", span_name: "GET /a", span_id: SPAN_ID, trace_id: TRACE_ID });
  });

  it("leaves out what a span does not give", () => {
    const { read } = createReader();

    expect(read({ span: createSpan({ traceId: undefined, name: undefined }) })).toEqual({ span_id: SPAN_ID });
  });

  it("reads a name when the profile is written", () => {
    const { read } = createReader();
    const span = { ...createSpan(), name: "GET" };

    span.name = "GET /orders/:id";

    expect(read({ span })).toMatchObject({ span_name: "GET /orders/:id" });
  });

  it("keeps the name that the user gave", () => {
    const { read, sets } = createReader();

    const labels = read({ labels: sets.merge(sets.empty, { span_name: "mine" }), span: createSpan() });

    expect(labels).toMatchObject({ span_name: "mine", span_id: SPAN_ID });
  });

  it("prefers ids that were given by hand, one by one", () => {
    const { read } = createReader();

    const labels = read({ ids: { traceId: "given", spanId: undefined }, span: createSpan() });

    expect(labels).toMatchObject({ trace_id: "given", span_id: SPAN_ID });
  });

  it("lets names pass the limit on values, ids not", () => {
    const { read, said } = createReader();

    const seen = Array.from({ length: 1000 }, (_, i) =>
      read({ span: createSpan({ name: `job ${i}`, spanId: i.toString(16).padStart(16, "0") }) }),
    );

    expect(new Set(seen.map(({ span_name }) => span_name))).toEqual(
      new Set(["job 0", "job 1", "job 2", "__overflow__"]),
    );
    expect(new Set(seen.map(({ span_id }) => span_id)).size).toBe(1000);
    expect(new Set(said)).toEqual(new Set(["label-values:span_name"]));
  });

  it("gives samples after the end of their span no ids, to some microseconds", () => {
    // The system clock is 1,000,000,000,000 ms ahead.
    const { compare, read } = createReader(new CoarseClock(1_000_000_000_500.3, 1_000_000_000_000));
    const span = createSpan({ endTimeMs: 200.25 });

    expect(compare({ span })).toBe(true);
    expect(read({ span }, 1_000_000_000_200_220n)).toHaveProperty("span_id");
    expect(read({ span }, 1_000_000_000_200_255n)).toEqual({});
  });

  it("knows the end of a span as well when the thread is suspended while it reads the clocks", () => {
    const clock = new CoarseClock(1_000_000_000_500.3, 1_000_000_000_000);
    clock.suspendMs = 7;
    const { compare, read } = createReader(clock);
    const span = createSpan({ endTimeMs: 200.25 });

    compare({ span });
    expect(read({ span }, 1_000_000_000_200_220n)).toHaveProperty("span_id");
    expect(read({ span }, 1_000_000_000_200_255n)).toEqual({});
  });

  it("compares with the clock as it was when the piece was read", () => {
    const clock = new CoarseClock(1_000_000_000_500.3, 1_000_000_000_000);
    const { compare, read } = createReader(clock);
    const span = createSpan({ endTimeMs: 200.25 });

    compare({ span });
    clock.setBack(3_600_000);
    expect(read({ span }, 1_000_000_000_200_220n)).toHaveProperty("span_id");
    expect(read({ span }, 1_000_000_000_200_255n)).toEqual({});
  });

  it("takes a span for active that ends after the piece was read, without a look at the clocks", () => {
    const { compare, read } = createReader(new CoarseClock(1_000_000_000_500.3, 1_000_000_000_000));

    expect([compare({}), compare({ span: createSpan() })]).toEqual([false, false]);
    expect(read({ span: createSpan({ endTimeMs: 501 }) }, 1_000_000_000_500_000n)).toHaveProperty("span_id");
  });

  it("is not held by a system clock that stands still", () => {
    const { compare, read } = createReader(new ManualClock(1000));
    const span = createSpan({ endTimeMs: 500 });

    compare({ span });
    expect(read({ span }, 500_001n)).toEqual({});
  });

  it("writes a sample whose span throws without it", () => {
    const { compare, read, sets } = createReader();
    const span: ProfiledSpan = {
      ...createSpan(),
      get name(): string {
        throw new Error("mine");
      },
      get endTimeMs(): number {
        throw new Error("mine");
      },
    };

    expect(compare({ span })).toBe(false);
    expect(read({ labels: sets.merge(sets.empty, { route: "/a" }), span })).toEqual({ route: "/a" });
  });
});
