import type { VNode } from "preact";
import { describeProfileType } from "../format/profile-type.ts";
import { formatSelector, parseSelector, serviceOf, withService } from "../state/label-filter.ts";
import { latest } from "../state/resource.ts";
import { NO_SPAN, type Page } from "../state/url-state.ts";
import { useApp, useView } from "./app-context.ts";
import { Combobox } from "./combobox.tsx";
import { CopyLink } from "./copy-link.tsx";
import { linkTo } from "./link.ts";
import { RefreshPicker } from "./refresh-picker.tsx";
import { TimeRangePicker } from "./time-range-picker.tsx";
import type { ResourceView } from "./use-resource.ts";
import { listTypes, type Services } from "./use-services.ts";

const PAGES: readonly { readonly page: Page; readonly label: string }[] = [
  { page: "overview", label: "Services" },
  { page: "flame", label: "Profile" },
  { page: "spans", label: "Spans" },
  { page: "diff", label: "Compare" },
];

interface PageHeaderProps {
  readonly services: ResourceView<Services>;
  readonly onHelp: () => void;
}

/** Where the reader is, what is looked at, and when. */
export function PageHeader({ services, onHelp }: PageHeaderProps): VNode {
  const { navigation, theme } = useApp();
  const [view] = useView();
  const isDark = theme.scheme.value === "dark";
  return (
    <header class="page-header">
      <a class="brand" {...linkTo(navigation, { page: "overview", ...NO_SPAN })}>
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect x="2" y="4" width="28" height="7" rx="1.5" class="brand-1" />
          <rect x="2" y="12.5" width="20" height="7" rx="1.5" class="brand-2" />
          <rect x="2" y="21" width="11" height="7" rx="1.5" class="brand-3" />
        </svg>
        Profiles
      </a>
      <nav class="tabs" aria-label="Pages">
        {PAGES.map(({ page, label }) => (
          <a
            key={page}
            aria-current={view.page === page ? "page" : undefined}
            {...linkTo(navigation, { page, path: "", ...NO_SPAN })}
          >
            {label}
          </a>
        ))}
      </nav>
      {view.page !== "overview" && <WhatPicker services={services} />}
      <span class="spacer-flex" />
      <TimeRangePicker />
      <RefreshPicker />
      <CopyLink />
      <button
        type="button"
        class="button button-icon"
        title={isDark ? "Light theme" : "Dark theme"}
        aria-label={isDark ? "Light theme" : "Dark theme"}
        onClick={() => theme.toggle()}
      >
        {isDark ? "☀" : "☾"}
      </button>
      <button type="button" class="button button-icon" title="Help (?)" aria-label="Help" onClick={onHelp}>
        ?
      </button>
    </header>
  );
}

function WhatPicker({ services }: { services: ResourceView<Services> }): VNode {
  const [view, go] = useView();
  const known = latest(services.state) ?? new Map();
  const filters = parseSelector(view.query) ?? [];
  const service = serviceOf(filters);
  const types = listTypes(known, service);
  const offered = view.type === "" || types.includes(view.type) ? types : [view.type, ...types];
  return (
    <div class="what">
      <Combobox
        label="Service"
        value={service}
        placeholder="all services"
        options={["", ...[...known.keys()].filter((name) => name !== "").sort()]}
        emptyLabel="all services"
        onChoose={(chosen) => {
          const type = listTypes(known, chosen).includes(view.type) ? view.type : "";
          go({ query: formatSelector(withService(filters, chosen)), type, path: "", spanId: "" });
        }}
      />
      <select
        aria-label="Profile type"
        title={describeProfileType(view.type).help}
        value={view.type}
        onChange={(event) => go({ type: event.currentTarget.value, path: "" })}
      >
        {offered.map((type) => (
          <option key={type} value={type} title={type}>
            {describeProfileType(type).title}
          </option>
        ))}
      </select>
    </div>
  );
}
