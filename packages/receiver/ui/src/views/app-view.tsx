import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { describeProfileType } from "../format/profile-type.ts";
import { parseSelector, serviceOf } from "../state/label-filter.ts";
import type { ViewState } from "../state/url-state.ts";
import { useView } from "./app-context.ts";
import { DiffPage } from "./diff-page.tsx";
import { HelpDialog } from "./help-dialog.tsx";
import { OverviewPage } from "./overview-page.tsx";
import { PageHeader } from "./page-header.tsx";
import { ProfilePage } from "./profile-page.tsx";
import { isTyping } from "./search-field.tsx";
import { SpansPage } from "./spans-page.tsx";
import { TokenDialog } from "./token-dialog.tsx";
import { useServices, useSettledType } from "./use-services.ts";

/** The whole application. */
export function AppView(): VNode {
  const [view] = useView();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const services = useServices();
  useSettledType(services);
  useEffect(() => {
    document.title = titleOf(view);
  }, [view]);
  useEffect(() => {
    const abort = new AbortController();
    const openHelp = (event: KeyboardEvent): void => {
      if (event.key === "?" && !isTyping(event.target)) setHelpOpen(true);
    };
    document.addEventListener("keydown", openHelp, { signal: abort.signal });
    return () => abort.abort();
  }, []);
  return (
    <>
      <PageHeader services={services} onHelp={() => setHelpOpen(true)} />
      <main>
        {view.page !== "overview" && <h1 class="for-screen-readers">{titleOf(view)}</h1>}
        {view.page === "overview" && <OverviewPage services={services} />}
        {view.page === "flame" && <ProfilePage />}
        {view.page === "spans" && <SpansPage />}
        {view.page === "diff" && <DiffPage />}
      </main>
      <HelpDialog isOpen={isHelpOpen} onClose={() => setHelpOpen(false)} />
      <TokenDialog />
    </>
  );
}

function titleOf(view: ViewState): string {
  if (view.page === "overview") return "Services · Profiles";
  const service = serviceOf(parseSelector(view.query) ?? []) || "all services";
  const what = { flame: describeProfileType(view.type).title, spans: "Spans", diff: "Compare" }[view.page];
  return `${service} · ${what} · Profiles`;
}
