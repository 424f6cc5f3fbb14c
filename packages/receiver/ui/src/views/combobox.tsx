import type { VNode } from "preact";
import { useId, useState } from "preact/hooks";

interface ComboboxProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly string[];
  readonly placeholder?: string;
  /** What the option "" is called. */
  readonly emptyLabel?: string;
  /** Whether text that is not among the options can be chosen. */
  readonly isFreeText?: boolean;
  readonly onChoose: (value: string) => void;
  readonly onOpen?: () => void;
}

// More would only be scrolled past; typing narrows the list.
const MAX_SHOWN_COUNT = 200;

/** Options that contain `text`, those that begin with it first. */
export function filterOptions(options: readonly string[], text: string): readonly string[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return options.slice(0, MAX_SHOWN_COUNT);
  const isFirst = (option: string): boolean => option.toLowerCase().startsWith(wanted);
  const found = options.filter((option) => option.toLowerCase().includes(wanted));
  return [...found.filter(isFirst), ...found.filter((option) => !isFirst(option))].slice(0, MAX_SHOWN_COUNT);
}

interface ComboboxState {
  readonly isOpen: boolean;
  /** What the field shows. */
  readonly text: string;
  readonly shown: readonly string[];
  /** Row of `shown` that Enter chooses. */
  readonly active: number;
  readonly open: () => void;
  readonly close: () => void;
  readonly type: (text: string) => void;
  readonly choose: (value: string) => void;
  readonly press: (event: KeyboardEvent) => void;
}

function useCombobox({ value, options, isFreeText = false, onChoose, onOpen }: ComboboxProps): ComboboxState {
  // undefined: closed, the field shows the value.
  const [text, setText] = useState<string | undefined>(undefined);
  const [active, setActive] = useState(0);
  const isOpen = text !== undefined;
  const shown = isOpen ? filterOptions(options, text === value ? "" : text) : [];
  const open = (): void => {
    setText(value);
    setActive(0);
    onOpen?.();
  };
  const choose = (chosen: string): void => {
    setText(undefined);
    onChoose(chosen);
  };
  const commit = (): void => {
    const chosen = shown[active];
    if (isFreeText && text !== undefined && text !== "" && !shown.includes(text) && active === 0)
      choose(text);
    else if (chosen !== undefined) choose(chosen);
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) open();
      else setActive(moveActive(active, event.key === "ArrowDown" ? 1 : -1, shown.length));
    } else if (event.key === "Enter" && isOpen) {
      event.preventDefault();
      commit();
    } else if (event.key === "Escape" && isOpen) {
      event.stopPropagation();
      setText(undefined);
    }
  };
  const type = (typed: string): void => {
    setText(typed);
    setActive(0);
  };
  return {
    isOpen,
    text: text ?? value,
    shown,
    active,
    open,
    close: () => setText(undefined),
    type,
    choose,
    press,
  };
}

/** A text field with a list of what can be chosen. Source: ARIA authoring practices 1.2, "combobox". */
export function Combobox(props: ComboboxProps): VNode {
  const { label, value, placeholder = "", emptyLabel = "(empty)" } = props;
  const id = useId();
  const { isOpen, text, shown, active, open, close, type, choose, press } = useCombobox(props);
  return (
    <div class="combobox">
      <input
        type="text"
        role="combobox"
        autocomplete="off"
        spellcheck={false}
        aria-label={label}
        aria-autocomplete="list"
        aria-expanded={isOpen}
        aria-controls={`${id}-list`}
        aria-activedescendant={shown.length > 0 ? `${id}-${active}` : undefined}
        placeholder={placeholder}
        value={text}
        onFocus={(event) => {
          open();
          event.currentTarget.select();
        }}
        onBlur={close}
        onInput={(event) => type(event.currentTarget.value)}
        onKeyDown={press}
      />
      {isOpen && (
        <OptionList
          id={id}
          label={label}
          options={shown}
          active={active}
          value={value}
          emptyLabel={emptyLabel}
          onChoose={choose}
        />
      )}
    </div>
  );
}

function moveActive(active: number, step: 1 | -1, count: number): number {
  return count === 0 ? 0 : (active + step + count) % count;
}

interface OptionListProps {
  readonly id: string;
  readonly label: string;
  readonly options: readonly string[];
  readonly active: number;
  readonly value: string;
  readonly emptyLabel: string;
  readonly onChoose: (value: string) => void;
}

function OptionList({ id, label, options, active, value, emptyLabel, onChoose }: OptionListProps): VNode {
  return (
    <div class="combobox-list" id={`${id}-list`} role="listbox" aria-label={label} tabIndex={-1}>
      {options.length === 0 && <div class="combobox-empty">no match</div>}
      {options.map((option, index) => (
        <div
          key={option}
          id={`${id}-${index}`}
          role="option"
          tabIndex={-1}
          class="combobox-option"
          aria-selected={option === value}
          data-active={index === active}
          // Before the field loses focus and closes the list.
          onPointerDown={(event) => {
            event.preventDefault();
            onChoose(option);
          }}
        >
          {option === "" ? emptyLabel : option}
        </div>
      ))}
    </div>
  );
}
