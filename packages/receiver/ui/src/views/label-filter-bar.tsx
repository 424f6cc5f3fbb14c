import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { ProfileQuery } from "../api/wire.ts";
import {
  formatSelector,
  type LabelFilter,
  type MatcherOperator,
  OPERATORS,
  parseSelector,
  SERVICE_LABEL,
  withFilter,
} from "../state/label-filter.ts";
import { latest } from "../state/resource.ts";
import { useApp, useView } from "./app-context.ts";
import { Combobox } from "./combobox.tsx";
import { useResource } from "./use-resource.ts";

/** The conditions on labels as chips, and a builder for one more. */
export function LabelFilterBar(): VNode {
  const [view, go] = useView();
  const filters = parseSelector(view.query);
  if (filters === undefined) return <RawSelector />;
  const chips = filters.filter(({ name }) => name !== SERVICE_LABEL);
  const change = (changed: readonly LabelFilter[]): void => go({ query: formatSelector(changed), path: "" });
  return (
    <div class="filter-bar">
      {chips.map((filter) => (
        <span class="chip" key={`${filter.name}${filter.operator}${filter.value}`}>
          <span class="chip-text">
            <b>{filter.name}</b>
            {filter.operator}
            {filter.value === "" ? "(empty)" : filter.value}
          </span>
          <button
            type="button"
            class="chip-remove"
            aria-label={`Remove filter ${filter.name} ${filter.operator} ${filter.value}`}
            onClick={() => change(filters.filter((other) => other !== filter))}
          >
            ×
          </button>
        </span>
      ))}
      <FilterBuilder filters={filters} onAdd={(filter) => change(withFilter(filters, filter))} />
    </div>
  );
}

/** A selector that chips cannot show stays editable as text. */
function RawSelector(): VNode {
  const [view, go] = useView();
  return (
    <label class="filter-bar">
      Selector
      <input
        type="text"
        class="raw-selector"
        value={view.query}
        spellcheck={false}
        onChange={(event) => go({ query: event.currentTarget.value, path: "" })}
      />
    </label>
  );
}

interface FilterBuilderProps {
  readonly filters: readonly LabelFilter[];
  readonly onAdd: (filter: LabelFilter) => void;
}

function FilterBuilder({ filters, onAdd }: FilterBuilderProps): VNode {
  const [isOpen, setOpen] = useState(false);
  const [name, setName] = useState("");
  const [operator, setOperator] = useState<MatcherOperator>("=");
  const { names, values } = useLabelSuggestions(isOpen, filters, name);
  if (!isOpen) {
    return (
      <button type="button" class="button button-quiet" onClick={() => setOpen(true)}>
        + Filter by label
      </button>
    );
  }
  const finish = (): void => {
    setName("");
    setOperator("=");
    setOpen(false);
  };
  return (
    <fieldset class="filter-builder" aria-label="New label filter">
      <Combobox
        label="Label"
        value={name}
        options={names}
        placeholder="label"
        isFreeText
        onChoose={setName}
      />
      <select
        aria-label="Operator"
        value={operator}
        onChange={(event) => {
          const chosen = OPERATORS.find((known) => known.operator === event.currentTarget.value);
          if (chosen !== undefined) setOperator(chosen.operator);
        }}
      >
        {OPERATORS.map((known) => (
          <option key={known.operator} value={known.operator}>
            {known.label}
          </option>
        ))}
      </select>
      <Combobox
        label="Value"
        value=""
        options={values}
        placeholder={operator === "=~" || operator === "!~" ? "expression" : "value"}
        isFreeText
        onChoose={(value) => {
          if (name === "") return;
          onAdd({ name, operator, value });
          finish();
        }}
      />
      <button type="button" class="button button-quiet" aria-label="Cancel" onClick={finish}>
        ×
      </button>
    </fieldset>
  );
}

interface LabelSuggestions {
  readonly names: readonly string[];
  readonly values: readonly string[];
}

function useLabelSuggestions(
  isOpen: boolean,
  filters: readonly LabelFilter[],
  name: string,
): LabelSuggestions {
  const { client, range } = useApp();
  const [view] = useView();
  const resolved = range.value;
  const query = (selected: readonly LabelFilter[]): ProfileQuery | undefined =>
    resolved === undefined ? undefined : { type: view.type, selector: formatSelector(selected), ...resolved };
  // Without the conditions on this very label: else a chosen value would be the only one offered.
  const valueQuery = query(filters.filter((filter) => filter.name !== name));
  const nameQuery = query(filters);
  const names = useResource(isOpen && nameQuery ? JSON.stringify(nameQuery) : undefined, (signal) =>
    nameQuery === undefined ? Promise.resolve([]) : client.listLabelNames(nameQuery, signal),
  );
  const isAsked = isOpen && name !== "" && valueQuery !== undefined;
  const values = useResource(isAsked ? JSON.stringify([name, valueQuery]) : undefined, (signal) =>
    valueQuery === undefined ? Promise.resolve([]) : client.listLabelValues(name, valueQuery, signal),
  );
  return { names: latest(names.state) ?? [], values: latest(values.state) ?? [] };
}
