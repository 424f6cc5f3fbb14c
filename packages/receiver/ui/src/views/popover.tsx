import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

interface PopoverProps {
  readonly label: ComponentChildren;
  readonly title: string;
  readonly class?: string;
  /** Which edge of the button the panel is aligned with. */
  readonly align?: "start" | "end";
  readonly children: (close: () => void) => ComponentChildren;
}

/** A button that opens a panel below it. Escape and a click elsewhere close it; focus returns to the button. */
export function Popover({ label, title, class: className, align = "start", children }: PopoverProps): VNode {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  useEffect(() => {
    if (!isOpen) return;
    const abort = new AbortController();
    const { signal } = abort;
    const closeOutside = (event: Event): void => {
      if (event.target instanceof Node && root.current?.contains(event.target) === false) setOpen(false);
    };
    const closeOnEscape = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener("pointerdown", closeOutside, { signal });
    document.addEventListener("keydown", closeOnEscape, { signal });
    return () => abort.abort();
  }, [isOpen]);
  return (
    <div class={`popover ${className ?? ""}`} ref={root}>
      <button
        type="button"
        class="button"
        ref={button}
        title={title}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        {label}
      </button>
      {isOpen && (
        <div class="popover-panel" data-align={align} role="dialog" aria-label={title}>
          {children(close)}
        </div>
      )}
    </div>
  );
}
