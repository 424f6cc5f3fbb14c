import { render } from "preact";
import { ReceiverClient } from "./api/receiver-client.ts";
import { SessionToken } from "./api/session-token.ts";
import { Clock } from "./state/clock.ts";
import { Navigation } from "./state/navigation.ts";
import { Theme } from "./state/theme.ts";
import { AppProvider, createApp } from "./views/app-context.ts";
import { AppView } from "./views/app-view.tsx";
import "uplot/dist/uPlot.min.css";
import "./theme.css";
import "./page.css";
import "./overview.css";
import "./controls.css";
import "./dialog.css";
import "./profile.css";
import "./tooltip.css";
import "./diff.css";
import "./spans.css";

const root = document.getElementById("app");
if (root === null) throw new Error("the page has no element #app to draw in");

const token = new SessionToken(sessionStorage);
const app = createApp({
  token,
  client: new ReceiverClient({
    // The directory of the page: the receiver may stand behind a proxy under some path.
    baseUrl: new URL(".", document.baseURI).href,
    fetch: (input, init) => fetch(input, init),
    token: () => token.read(),
    onRefused: (refusal) => token.want(refusal),
  }),
  navigation: new Navigation(window),
  clock: new Clock({
    now: Date.now,
    setInterval: (callback, delayMs) => window.setInterval(callback, delayMs),
    clearInterval: (id) => window.clearInterval(id),
    isHidden: () => document.hidden,
  }),
  theme: new Theme({
    storage: localStorage,
    root: document.documentElement,
    prefersDark: window.matchMedia("(prefers-color-scheme: dark)"),
  }),
});

render(
  <AppProvider value={app}>
    <AppView />
  </AppProvider>,
  root,
);
