// The floor at a glance: callers being screened, queues, agents, direct lines.
import { html } from "../html.js";
import { me } from "../api.js";
import { duration, percent, short, whole } from "../format.js";
import { entries, live, serverNow } from "../live.js";
import { Empty, Heading, Table, Term } from "../parts.js";
import { useClock, useStore } from "../store.js";
import { named, stepInWords, useWords } from "../words.js";

const byName = (name) => (a, b) => String(a[name]).localeCompare(String(b[name]), undefined, { numeric: true });
const WRAP_UP = "wrapup"; // the reason of the pause
const SCALES = ["efficiency", "attitude", "correctness"];
const ORDER = ["talking", "calling", "ringing", "available", "paused", "unavailable", "logged_off"];

export default function Now({ query }) {
  const words = useWords();
  const visitor = useStore(me);
  const { state, heardAt } = useStore(live);
  useClock();
  if (!visitor.live) return html`<${Heading}>${words("now")}<//><${Empty} title=${words("no_live")} next=${words("next_step_live")} />`;
  if (!heardAt) return html`<${Heading}>${words("now")}<//><p class="hint">${words("connecting")}</p>`;
  const wall = query.has("wall");
  return html`
    <div class="title"><${Heading}>${words("now")}<//>${!wall && html`<a href="#/now?wall">${words("wall")}</a>`}</div>
    ${visitor.role !== "agent" && html`<${Queues} queues=${entries(state, "queue").sort(byName("queue"))} />`}
    <${Agents} agents=${entries(state, "agent").sort(byName("agent"))} />
    ${!wall && html`<${Today} days=${entries(state, "today").sort(byName("agent"))} />`}
    <${Lines} lines=${entries(state, "line").sort(byName("line"))} />
    ${visitor.role !== "agent" && !visitor.queues.length && html`<${Calls} calls=${entries(state, "call").sort(byName("arrived_ms"))} />`}`;
}

function Queues({ queues }) {
  const words = useWords();
  if (!queues.length) return html`<section class="queues"><h2>${words("queues")}</h2><${Empty} title=${words("no_queues")} next=${words("next_step_queues")} /></section>`;
  const waiting = queues.reduce((sum, each) => sum + each.waiting, 0);
  const oldest = Math.min(...queues.map((each) => each.oldest_ms ?? Infinity));
  return html`
    <section class="queues"><h2>${words("queues")}</h2>
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
            <p><${Work} agent=${each} /></p>
            ${each.wrap_up && !each.wrap_up.began_ms && html`<p><${Term} id="wrap_up" aside>${words("wrap_up_follows")}<//></p>`}
            ${each.assist && html`<p class="assist">${words("assist")}: <bdi class="name">${stepInWords(each.assist)}</bdi></p>`}
            <p class="hint"><${Term} id="agent_since" aside>${duration(serverNow() - each.since_ms)}<//></p>
          </li>`)}
      </ul>
    </section>`;
}

// What an agent does; a pause for a wrap-up is called so, with how the talk was closed.
function Work({ agent: { work, reason, wrap_up } }) {
  const words = useWords();
  if (work === "paused" && (wrap_up?.began_ms || reason === WRAP_UP)) {
    return html`<${Term} id="wrap_up" aside>${words("wrap_up")}<//>${wrap_up?.outcome ? `: ${named(`close:${wrap_up.outcome}`)}` : ""}`;
  }
  return html`${words(work)}${reason ? html`: <bdi class="name">${short(reason)}</bdi>` : ""}`;
}

// The figures of the day by agent; agents see their own.
function Today({ days }) {
  const words = useWords();
  const visitor = useStore(me);
  if (!days.length) return null;
  const time = (s) => duration(1000 * s);
  const columns = [
    { head: words("agent"), cell: (row) => html`<span class="name">${row.agent}</span>` },
    { head: html`<${Term} id="picked_up">${words("picked_up")}<//>`, right: true, cell: (row) => `${whole(row.answered)} / ${whole(row.rang)}` },
    { head: html`<${Term} id="within_three">${words("within_three")}<//>`, right: true, cell: (row) => percent(row.within_three_rings, row.answered) },
    { head: html`<${Term} id="talks">${words("talks")}<//>`, right: true, cell: (row) => `${whole(row.talks)} · ${time(row.time_s.talking)}` },
    { head: html`<${Term} id="hold">${words("on_hold")}<//>`, right: true, cell: (row) => `${whole(row.holds)} · ${time(row.hold_s)}` },
    { head: html`<${Term} id="wrap_up">${words("wrap_up")}<//>`, right: true, cell: (row) => `${whole(row.wrap_ups)} · ${time(row.wrap_up_s)}` },
    { head: html`<${Term} id="rating_answered">${words("ratings")}<//>`, right: true, cell: (row) => `${whole(row.rating_answered)} / ${whole(row.rating_asked)}` },
    ...SCALES.map((scale) => ({ head: html`<${Term} id=${scale}>${words(scale)}<//>`, right: true, cell: (row) => row[`mean_${scale}`]?.toFixed(2) ?? "–" })),
  ];
  const table = html`<${Table} caption=${words("agents_today")} hidden columns=${columns} rows=${days.map((each) => ({ ...each, key: each.agent }))} />`;
  return html`<section><h2>${words("agents_today")}</h2>${visitor.role === "agent" ? table : html`<details><summary>${words("show_by_agent")}</summary>${table}</details>`}</section>`;
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
    <section class="calls"><h2>${words("calls_now")}</h2>
      ${calls.length
        ? html`<${Table} caption=${words("calls_now")} hidden columns=${columns} rows=${calls.map((each) => ({ ...each, key: each.call_id }))} />`
        : html`<${Empty} title=${words("no_calls_now")} next=${words("next_step_calls")} />`}
    </section>`;
}
