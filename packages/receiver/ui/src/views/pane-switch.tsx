import type { VNode } from "preact";
import type { Pane } from "../state/url-state.ts";
import { useView } from "./app-context.ts";
import { Segmented } from "./segmented.tsx";

const PANES: readonly { readonly value: Pane; readonly label: string }[] = [
  { value: "table", label: "Table" },
  { value: "both", label: "Both" },
  { value: "flame", label: "Flame" },
];

/** Flame graph, table or both. */
export function PaneSwitch(): VNode {
  const [view, go] = useView();
  return <Segmented label="Show" options={PANES} value={view.pane} onChoose={(pane) => go({ pane })} />;
}
