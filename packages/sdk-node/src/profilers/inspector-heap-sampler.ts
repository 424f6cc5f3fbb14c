import type { HeapProfiler as InspectedHeap } from "node:inspector";
import { SdkError } from "../errors.ts";
import type { Inspector, InspectorSession } from "./inspector.ts";
import type { HeapNode, HeapSampler } from "./native.ts";

interface MutableNode extends HeapNode {
  readonly children: HeapNode[];
}

/**
 * V8's sampler of live objects through the inspector, for where the native profiler cannot be loaded. It gives bytes; how
 * many objects they are, it does not say.
 */
export class InspectorHeapSampler implements HeapSampler {
  readonly #loadInspector: () => Inspector;
  #session: InspectorSession | undefined;

  constructor(loadInspector: () => Inspector) {
    this.#loadInspector = loadInspector;
  }

  /** @throws {@link SdkError} `NATIVE_UNAVAILABLE` on a runtime that cannot sample its heap, or answers too late. */
  readonly startHeapSampler = (samplingInterval: number, stackDepth: number): void => {
    const session = this.#loadInspector().createSession();
    session.connect();
    let isStarted = false;
    session.post("HeapProfiler.startSampling", { samplingInterval, stackDepth }, (error) => {
      isStarted = error === null;
    });
    if (!isStarted) {
      session.disconnect();
      throw new SdkError("the inspector of this runtime does not sample the heap", {
        code: "NATIVE_UNAVAILABLE",
      });
    }
    this.#session = session;
  };

  readonly readHeapSampler = (): HeapNode => {
    let root: HeapNode | undefined;
    this.#session?.post("HeapProfiler.getSamplingProfile", (error, result) => {
      if (error === null) root = convertTree(result.profile.head);
    });
    if (root === undefined) throw new SdkError("Heap profiler is not enabled", { code: "PROFILER_FAILED" });
    return root;
  };

  readonly stopHeapSampler = (): void => {
    this.#session?.post("HeapProfiler.stopSampling");
    this.#session?.disconnect();
    this.#session = undefined;
  };
}

function convertTree(head: InspectedHeap.SamplingHeapProfileNode): HeapNode {
  const root = convertNode(head);
  const open = [{ from: head, to: root }];
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    for (const from of item.from.children) {
      const to = convertNode(from);
      item.to.children.push(to);
      open.push({ from, to });
    }
  }
  return root;
}

function convertNode({ callFrame, selfSize }: InspectedHeap.SamplingHeapProfileNode): MutableNode {
  return {
    name: callFrame.functionName,
    scriptName: callFrame.url,
    scriptId: Number(callFrame.scriptId),
    lineNumber: callFrame.lineNumber + 1,
    columnNumber: callFrame.columnNumber + 1,
    allocations: selfSize === 0 ? [] : [{ sizeBytes: selfSize, count: 1 }],
    children: [],
  };
}
