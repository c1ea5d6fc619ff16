// The floor at a glance: callers being screened, queues, agents, direct lines.
import { html } from "../html.js";
import { duration, short, whole } from "../format.js";
import { entries, live, serverNow } from "../live.js";
import { Empty, Heading, Table, Term } from "../parts.js";
import { useClock, useStore } from "../store.js";
import { named, useWords } from "../words.js";

const byName = (name) => (a, b) => String(a[name]).localeCompare(String(b[name]), undefined, { numeric: true });
const ORDER = ["talking", "calling", "ringing", "available", "paused", "unavailable", "logged_off"];

export default function Now({ query }) {
  const words = useWords();
  const { state, heardAt } = useStore(live);
  useClock();
  if (!heardAt) return html`<${Heading}>${words("now")}<//><p class="hint">${words("connecting")}</p>`;
  const wall = query.has("wall");
  return html`
    <div class="title"><${Heading}>${words("now")}<//>${!wall && html`<a href="#/now?wall">${words("wall")}</a>`}</div>
    <${Queues} queues=${entries(state, "queue").sort(byName("queue"))} />
    <${Agents} agents=${entries(state, "agent").sort(byName("agent"))} />
    <${Lines} lines=${entries(state, "line").sort(byName("line"))} />
    <${Calls} calls=${entries(state, "call").sort(byName("arrived_ms"))} />`;
}

function Queues({ queues }) {
  const words = useWords();
  if (!queues.length) return html`<section><h2>${words("queues")}</h2><${Empty} title=${words("no_queues")} next=${words("next_step_queues")} /></section>`;
  const waiting = queues.reduce((sum, each) => sum + each.waiting, 0);
  const oldest = Math.min(...queues.map((each) => each.oldest_ms ?? Infinity));
  return html`
    <section><h2>${words("queues")}</h2>
      <p class="counts"><span>${whole(waiting)} <${Term} id="waiting">${words("waiting")}<//></span>${oldest < Infinity && html`<span><${Term} id="oldest">${words("oldest")}<//> ${duration(serverNow() - oldest)}</span>`}</p>
      <ul class="tiles">
        ${queues.map((each) => html`
          <li key=${each.queue} class=${`tile ${each.waiting ? "waiting" : ""}`}>
            <h3>${each.queue}</h3>
            <p class="figure"><b>${each.waiting}</b> <${Term} id="waiting" aside>${words("waiting")}<//></p>
            <p><${Term} id="oldest" aside>${words("oldest")}<//> ${each.oldest_ms ? duration(serverNow() - each.oldest_ms) : "–"}</p>
            <p class="hint members">${ORDER.filter((work) => each.members[work]).map((work) => html`<span>${each.members[work]} <${Term} id=${work} aside>${words(work)}<//></span>`)}</p>
          </li>`)}
      </ul>
    </section>`;
}

function Agents({ agents }) {
  const words = useWords();
  if (!agents.length) return html`<section><h2>${words("agents")}</h2><${Empty} title=${words("no_agents")} next=${words("next_step_queues")} /></section>`;
  const number = Object.fromEntries(ORDER.map((work) => [work, agents.filter((each) => each.work === work).length]));
  return html`
    <section><h2>${words("agents")}</h2>
      <p class="counts">${ORDER.filter((work) => number[work]).map((work) => html`<span class=${`dot ${work}`}>${number[work]} <${Term} id=${work}>${words(work)}<//></span>`)}</p>
      <ul class="tiles small">
        ${agents.map((each) => html`
          <li key=${each.agent} class=${`tile ${each.work}`}>
            <h3>${each.agent}</h3>
            <p>${words(each.work)}${each.reason ? html`: <bdi class="name">${short(each.reason)}</bdi>` : ""}</p>
            ${each.assist && html`<p class="assist">${words("assist")}: <bdi class="name">${words(`assist_${each.assist.kind}`)} ${each.assist.what}</bdi></p>`}
            <p class="hint"><${Term} id="agent_since" aside>${duration(serverNow() - each.since_ms)}<//></p>
          </li>`)}
      </ul>
    </section>`;
}

function Lines({ lines }) {
  const words = useWords();
  const busy = lines.filter((each) => each.ringing || each.talking);
  if (!busy.length) return null;
  const columns = [
    { head: words("line"), cell: (each) => html`<span class="name">${each.line}</span>` },
    { head: html`<${Term} id="ringing">${words("ringing")}<//>`, right: true, cell: (each) => each.ringing },
    { head: html`<${Term} id="talking">${words("talking")}<//>`, right: true, cell: (each) => each.talking },
  ];
  return html`<section><h2>${words("lines")}</h2><${Table} caption=${words("lines")} hidden columns=${columns} rows=${busy.map((each) => ({ ...each, key: each.line }))} /></section>`;
}

function Calls({ calls }) {
  const words = useWords();
  const columns = [
    { head: words("caller"), cell: (each) => html`<span class="name">${each.caller || "–"}</span>` },
    { head: words("profile"), cell: (each) => html`<span class="name">${each.profile}</span>` },
    { head: html`<${Term} id="rung">${words("rung")}<//>`, right: true, cell: (each) => each.rung },
    { head: words("doing"), cell: (each) => html`<span class=${`does ${each.does}`}>${words(each.does, { prompt: each.prompt })}</span>` },
    { head: html`<${Term} id="heard">${words("heard")}<//>`, cell: (each) => named(each.heard) },
    { head: html`<${Term} id="level">${words("level")}<//>`, right: true, cell: (each) => (each.level_dbov === null ? "–" : `${each.level_dbov} dBov`) },
    { head: html`<${Term} id="since">${words("since")}<//>`, right: true, cell: (each) => duration(serverNow() - each.arrived_ms) },
  ];
  return html`
    <section><h2>${words("calls_now")}</h2>
      ${calls.length
        ? html`<${Table} caption=${words("calls_now")} hidden columns=${columns} rows=${calls.map((each) => ({ ...each, key: each.call_id }))} />`
        : html`<${Empty} title=${words("no_calls_now")} next=${words("next_step_calls")} />`}
    </section>`;
}
