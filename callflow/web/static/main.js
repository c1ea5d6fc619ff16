// The page: who is signed in, where we are, and what is shown there.
import { render } from "preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { html } from "./html.js";
import { me, Problem, signIn, signOut, whoAmI } from "./api.js";
import { duration } from "./format.js";
import { isStale, live, start } from "./live.js";
import { remembered, useClock, useStore } from "./store.js";
import { language, useWords } from "./words.js";

const PAGES = {
  now: () => import("./pages/now.js"),
  fleet: () => import("./pages/fleet.js"),
  rings: () => import("./pages/rings.js"),
  silence: () => import("./pages/silence.js"),
  calls: () => import("./pages/calls.js"),
  call: () => import("./pages/call.js"),
  callbacks: () => import("./pages/callbacks.js"),
  cases: () => import("./pages/cases.js"),
  ratings: () => import("./pages/ratings.js"),
  standards: () => import("./pages/standards.js"),
  health: () => import("./pages/health.js"),
  admin: () => import("./pages/admin.js"),
  definitions: () => import("./pages/definitions.js"),
};
// What a fleet's database has not: it is kept at each node, or live there.
const AT_THE_NODE = ["now", "cases", "health"];
const FOR_AGENTS = ["now", "rings", "callbacks", "ratings", "definitions"];

// The pages in the menu: those that show something to this visitor. Screening and cases belong to no queue.
function menu(visitor) {
  const hidden = new Set(["call", ...(visitor.fleet ? AT_THE_NODE : ["fleet"]), ...(visitor.may_administer ? [] : ["admin"]), ...(visitor.queues.length ? ["silence", "cases", "fleet"] : [])]);
  return Object.keys(PAGES).filter((name) => !hidden.has(name) && (visitor.role !== "agent" || FOR_AGENTS.includes(name)));
}

const dark = matchMedia("(prefers-color-scheme: dark)");
const theme = remembered("theme", dark.matches ? "dark" : "light");

function place() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/").map(decodeURIComponent);
  return { name: PAGES[name] ? name : "now", rest, query: new URLSearchParams(query) };
}

function usePlace() {
  const [here, go] = useState(place());
  useEffect(() => {
    const moved = () => go(place());
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return here;
}

function Freshness({ visitor }) {
  const words = useWords();
  useClock();
  const feed = useStore(live);
  const age = duration(Date.now() - feed.heardAt);
  const stale = isStale(feed);
  if (!visitor.live) return html`<span class="freshness hint" role="status">${words(visitor.fleet ? "fleet_not_live" : "not_live")}</span>`;
  const text = !feed.heardAt ? words("connecting") : !stale ? words("live") : words(feed.connected ? "stale" : "offline", { age });
  return html`<span class=${`freshness ${stale ? "stale" : "fresh"}`} role="status">${text}</span>`;
}

function Header({ here, visitor }) {
  const words = useWords();
  useStore(theme);
  return html`
    <a class="skip" href="#content">${words("skip")}</a>
    <header>
      <strong class="brand">callflow</strong>
      <nav aria-label="callflow">
        ${menu(visitor).map((name) => html`<a href=${`#/${name}`} aria-current=${here.name === name ? "page" : undefined}>${words(name)}</a>`)}
      </nav>
      <div class="tools">
        <${Freshness} visitor=${visitor} />
        <button onClick=${() => theme.set(theme.value === "dark" ? "light" : "dark")}>${words(theme.value === "dark" ? "light" : "dark")}</button>
        <button lang=${language.value === "zh" ? "en" : "zh"} onClick=${() => language.set(language.value === "zh" ? "en" : "zh")}>${words("language")}</button>
        <button onClick=${signOut} title=${words("signed_in_as", visitor)}>${words("sign_out")}</button>
      </div>
    </header>`;
}

function SignIn() {
  const words = useWords();
  const [problem, tell] = useState(null);
  useLayoutEffect(() => document.getElementById("token").focus(), []);
  const send = async (event) => {
    event.preventDefault();
    try {
      await signIn(new FormData(event.target).get("token").trim());
    } catch (error) {
      tell(error);
    }
  };
  return html`
    <main class="sign-in" id="content">
      <h1>callflow</h1>
      <form onSubmit=${send}>
        <label for="token">${words("token")}</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required />
        <button>${words("sign_in")}</button>
        ${problem && html`<p class="problem" role="alert">${problem.message}. ${problem.remedy}</p>`}
      </form>
      <p class="hint">${words("sign_in_help")}</p>
      <button onClick=${() => language.set(language.value === "zh" ? "en" : "zh")}>${words("language")}</button>
    </main>`;
}

function Page({ here }) {
  const [shown, show] = useState({});
  useEffect(() => {
    let current = true;
    PAGES[here.name]().then((module) => current && show({ name: here.name, Component: module.default }));
    return () => (current = false);
  }, [here.name]);
  useEffect(() => {
    if (shown.name) document.querySelector("h1")?.focus();
  }, [shown.name]);
  if (shown.name !== here.name) return html`<p class="hint">…</p>`;
  return html`<${shown.Component} rest=${here.rest} query=${here.query} />`;
}

function App() {
  const visitor = useStore(me);
  const chosen = usePlace();
  const here = visitor?.fleet && chosen.name === "now" ? { ...chosen, name: menu(visitor)[0] } : chosen;
  const words = useWords();
  useStore(theme);
  useEffect(() => {
    document.documentElement.lang = language.value;
    document.documentElement.dataset.theme = theme.value;
    document.title = visitor ? `${words(here.name === "call" ? "one_call" : here.name)} · callflow` : "callflow";
  });
  useEffect(() => {
    if (visitor?.live) return start();
  }, [visitor?.name]);
  if (visitor === undefined) return html`<p class="hint">…</p>`;
  if (visitor === null) return html`<${SignIn} />`;
  const wall = here.query.has("wall");
  return html`
    <div class=${wall ? "wall" : "desk"}>
      ${!wall && html`<${Header} here=${here} visitor=${visitor} />`}
      <main id="content"><${Page} here=${here} /></main>
    </div>`;
}

// A link #token=... signs in once, and leaves neither the address bar nor the history with a secret in it.
async function signInByLink() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return whoAmI();
  history.replaceState(null, "", location.pathname + "#/now");
  await signIn(token).catch((problem) => (problem instanceof Problem ? me.set(null) : undefined));
}

render(html`<${App} />`, document.getElementById("page"));
signInByLink();
