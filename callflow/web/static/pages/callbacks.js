// Callers to be called back: the list, one entry with its steps and calls, and the figures by reason.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { ask, me } from "../api.js";
import { duration, moment, whole } from "../format.js";
import { entries, live, serverNow } from "../live.js";
import { Asked, CallerNumber, Empty, Failed, Heading, period, PeriodChoice, setQuery, Table, Term, useAsked } from "../parts.js";
import { useClock, useStore } from "../store.js";
import { named, useWords } from "../words.js";

const LIVE = ["open", "claimed", "dialling", "tried", "unknown"];
const SETTLED = ["done", "given_up"];

export default function Callbacks({ rest: [id], query }) {
  return id ? html`<${One} id=${id} />` : html`<${All} query=${query} />`;
}

const useNames = () => {
  const words = useWords();
  return { words, state: (name) => words(`state_${name}`), reason: (name) => words(`reason_${name}`) };
};

function All({ query }) {
  const { words, state } = useNames();
  const visitor = useStore(me);
  const chosen = { state: query.get("state") ?? "", period: query.get("period") ?? "days30" };
  const choose = (change) => setQuery("callbacks", { ...chosen, ...change });
  const filter = new URLSearchParams([
    ...(chosen.state ? [["state", chosen.state]] : []),
    ...(SETTLED.includes(chosen.state) ? Object.entries(period(chosen.period)) : []),
  ]);
  const found = useAsked(String(filter), () => ask(`callbacks?${filter}`));
  return html`
    <${Heading}>${words("callbacks")}<//>
    <div class="choices">
      <label>${words("state")}
        <select onChange=${(event) => choose({ state: event.target.value })}>
          <option value="">${words("all_live")}</option>
          ${[...LIVE, ...SETTLED].map((each) => html`<option value=${each} selected=${each === chosen.state}>${state(each)}</option>`)}
        </select>
      </label>
      <${PeriodChoice} value=${chosen.period} choose=${(value) => choose({ period: value })} />
    </div>
    ${visitor.may_change && !visitor.queues.length && html`<${NewCallback} done=${found[2]} />`}
    <${Asked} of=${found}>${(page) => html`<${List} rows=${page.callbacks} />`}<//>
    ${visitor.role !== "agent" && !visitor.queues.length && html`<${Figures} chosen=${chosen.period} />`}`;
}

// Puts a caller on the list by hand; says what became of it, with a link to the entry.
function NewCallback({ done }) {
  const { words, reason } = useNames();
  const [made, tell] = useState({});
  const send = async (event) => {
    event.preventDefault();
    const form = event.target;
    const { due, ...given } = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));
    try {
      tell({ entry: await ask("callbacks", { method: "POST", body: { ...given, ...(due && { due_ms: new Date(due).getTime() }) } }) });
      form.reset();
      done();
    } catch (problem) {
      tell({ problem });
    }
  };
  return html`
    <details><summary>${words("new_callback")}</summary>
      <form class="choices" onSubmit=${send}>
        <label>${words("number")} <input name="number" inputmode="tel" required maxlength="64" /></label>
        <label>${words("due_local")} <input name="due" type="datetime-local" max="9999-12-31T23:59" /></label>
        <label>${words("zone_of_caller")} <input name="zone" maxlength="64" placeholder="Asia/Shanghai" /></label>
        <label>${words("profile")} <input name="profile" value="default" required maxlength="64" /></label>
        <label>${words("note")} <input name="note" maxlength="500" /></label>
        <button>${words("add_callback")}</button>
      </form>
      <p role="status">${made.entry && html`<a href=${`#/callbacks/${encodeURIComponent(made.entry.callback_id)}`}>${words("added_callback", { number: made.entry.number, reasons: made.entry.reasons.map(reason).join(", ") })}</a>`}</p>
      <${Failed} problem=${made.problem} />
    </details>`;
}

function List({ rows }) {
  const { words, state, reason } = useNames();
  const visitor = useStore(me);
  useClock();
  if (!rows.length) return html`<${Empty} title=${words("no_callbacks")} next=${words("next_step_callbacks")} />`;
  const due = (row) => (row.closed_ms ? "–" : row.due_ms <= serverNow() ? words("due_now") : duration(row.due_ms - serverNow()));
  const columns = [
    { head: words("raised"), cell: (row) => html`<a href=${`#/callbacks/${encodeURIComponent(row.callback_id)}`}><time>${moment(row.raised_ms)}</time></a>` },
    ...(visitor.fleet ? [{ head: words("node"), cell: (row) => html`<span class="name">${row.node}</span>` }] : []),
    { head: words("caller"), cell: (row) => html`<span class="name">${row.number}</span>${row.spoken_name && html` <small>${words("with_name")}</small>`}` },
    { head: words("reasons"), cell: (row) => row.reasons.map(reason).join(", ") },
    { head: html`<${Term} id="callback_state">${words("state")}<//>`, cell: (row) => state(row.state) },
    { head: html`<${Term} id="due">${words("due")}<//>`, right: true, cell: due },
    { head: html`<${Term} id="tries">${words("tries")}<//>`, right: true, cell: (row) => whole(row.attempts) },
    { head: words("last_step"), cell: (row) => html`<bdi class="name">${row.actor}: ${row.why}</bdi>` },
  ];
  return html`<${Table} caption=${words("callbacks")} hidden columns=${columns} rows=${rows.map((row) => ({ ...row, key: row.callback_id }))} />`;
}

function Figures({ chosen }) {
  const { words, reason } = useNames();
  const found = useAsked(chosen, () => ask(`callbacks/report?${new URLSearchParams(period(chosen))}`));
  const time = (s) => (s === null ? "–" : duration(1000 * s));
  const columns = [
    { head: words("reasons"), cell: (row) => (row.key === "all" ? html`<b>${words("all_reasons")}</b>` : reason(row.key)) },
    ...["raised", "reached", "given_up", "open"].map((name) => ({ head: html`<${Term} id=${`callbacks_${name}`}>${words(`callbacks_${name}`)}<//>`, right: true, cell: (row) => whole(row[name]) })),
    { head: html`<${Term} id="tries">${words("tries")}<//>`, right: true, cell: (row) => whole(row.attempts) },
    { head: html`<${Term} id="to_reach">${words("to_reach")}<//>`, right: true, cell: (row) => time(row.median_s_to_reach) },
  ];
  return html`
    <section><h2>${words("by_reason")}</h2>
      <${Asked} of=${found}>${(figures) => html`<${Table} caption=${words("by_reason")} hidden columns=${columns}
        rows=${[...Object.entries(figures.by_reason), ["all", figures.all]].map(([key, row]) => ({ ...row, key }))} />`}<//>
    </section>`;
}

function One({ id }) {
  const { words } = useNames();
  const path = `callbacks/${encodeURIComponent(id)}`;
  const found = useAsked(path, () => ask(path));
  const [changed, show] = useState(null);
  const failed = () => {
    show(null);
    found[2](); // the page says why
  };
  const reload = () => ask(path).then(show, failed); // what was known stays until then
  return html`
    <p><a href="#/callbacks">${words("back")}</a></p>
    <${Heading}>${words("one_callback")}<//>
    <${Asked} of=${found}>${(detail) => html`<${Entry} entry=${changed ?? detail} path=${path} show=${show} reload=${reload} />`}<//>`;
}

function Entry({ entry, path, show, reload }) {
  const { words, state, reason } = useNames();
  const unmask = async () => (await ask(`${path}?unmask=true`)).number;
  const step = { head: words("when"), cell: (row) => html`<time>${moment(row.at_ms)}</time>` };
  const steps = [
    step,
    { head: words("state"), cell: (row) => state(row.state) },
    { head: words("who"), cell: (row) => html`<bdi class="name">${row.actor}</bdi>` },
    { head: words("why"), cell: (row) => html`<bdi class="name">${row.why}</bdi>` },
  ];
  const rang = (ms) => (ms === null ? "–" : duration(ms));
  const calls = [
    { head: words("when"), cell: (row) => html`<time>${moment(row.began_ms)}</time>` },
    { head: words("agent"), cell: (row) => html`<span class="name">${row.agent}</span>` },
    { head: words("result"), cell: (row) => html`<span class="name">${row.outcome ? named(`call_${row.outcome}`, row.outcome) : words("live_result")} <small>${row.cause}</small></span>` },
    { head: html`<${Term} id="rang">${words("agent_rang")}<//>`, right: true, cell: (row) => rang(row.agent_ring_ms) },
    { head: html`<${Term} id="rang">${words("caller_rang")}<//>`, right: true, cell: (row) => rang(row.customer_ring_ms) },
  ];
  return html`
    <dl class="figures">
      <div><dt>${words("number")}</dt><dd class="name"><${CallerNumber} number=${entry.number} may=${entry.may_unmask} unmask=${unmask} /></dd></div>
      <div><dt><${Term} id="callback_state">${words("state")}<//></dt><dd>${state(entry.state)}</dd></div>
      <div><dt>${words("reasons")}</dt><dd>${entry.reasons.map(reason).join(", ")}</dd></div>
      <div><dt>${words("raised")}</dt><dd><time>${moment(entry.raised_ms)}</time></dd></div>
      <div><dt>${words("due_at")}</dt><dd><time>${moment(entry.due_ms)}</time></dd></div>
      <div><dt><${Term} id="tries">${words("tries")}<//></dt><dd>${whole(entry.attempts)}</dd></div>
      ${entry.queue && html`<div><dt>${words("queue")}</dt><dd class="name">${entry.queue}</dd></div>`}
      ${entry.place > 0 && html`<div><dt><${Term} id="place">${words("place")}<//></dt><dd>${whole(entry.place)}</dd></div>`}
      ${entry.spoken_name && html`<div><dt>${words("spoken_name")}</dt><dd>${words("name_recorded")}</dd></div>`}
      ${entry.note && html`<div><dt>${words("note")}</dt><dd class="name">${entry.note}</dd></div>`}
    </dl>
    <${Progress} entry=${entry} reload=${reload} />
    <${Dial} entry=${entry} path=${path} show=${show} reload=${reload} />
    <${Steps} entry=${entry} path=${path} show=${show} reload=${reload} />
    <h2>${words("steps")}</h2>
    <${Table} caption=${words("steps")} hidden columns=${steps} rows=${entry.changes.map((row) => ({ ...row, key: row.revision }))} />
    ${entry.calls.length > 0 && html`<h2>${words("calls_placed")}</h2><${Table} caption=${words("calls_placed")} hidden columns=${calls} rows=${entry.calls.map((row) => ({ ...row, key: row.attempt_id }))} />`}`;
}

// Posts what the visitor wants of an entry: [post(path, body), said]. `said`: the node of a fleet is asked, its answer, or
// what failed. After a conflict the entry is read again.
function usePost(show, reload) {
  const visitor = useStore(me);
  const [said, tell] = useState({});
  const post = async (path, body) => {
    tell({ asked: visitor.fleet });
    try {
      const entry = await ask(path, { method: "POST", body });
      show(entry);
      tell({ answer: entry.answer });
      return true;
    } catch (problem) {
      tell({ problem });
      if (problem.status === 409) reload();
      return false;
    }
  };
  return [post, said];
}

function Said({ of }) {
  const { words } = useNames();
  return html`
    <p role="status"><bdi class="name">${of.asked ? words("node_asked") : of.answer && words("node_answers", { answer: of.answer })}</bdi></p>
    <${Failed} problem=${of.problem} />`;
}

// How the call goes that was asked for; read again each second until it is over.
function Progress({ entry, reload }) {
  const { words } = useNames();
  const visitor = useStore(me);
  const call = entry.calls.at(-1);
  const under_way = entry.wish !== "" || entry.state === "dialling" || call?.ended_ms === null;
  const every_ms = under_way ? 1000 : visitor.fleet ? 3000 : 0; // a node tells the fleet's database a moment later
  useEffect(() => {
    if (!every_ms) return undefined;
    const timer = setInterval(reload, every_ms);
    return () => clearInterval(timer);
  }, [every_ms]);
  const calling = () => words(entry.wish ? "dial_asked" : call?.reached_ms ? "dial_talking" : "dial_calling", { agent: entry.wish || call?.agent });
  return html`<p role="status"><bdi class="name">${under_way ? calling() : `${entry.actor}: ${entry.why}`}</bdi></p>`;
}

// Has the caller called for an agent; agents have it done for their own phone.
function Dial({ entry, path, show, reload }) {
  const { words } = useNames();
  const visitor = useStore(me);
  const [post, said] = usePost(show, reload);
  const [number, write] = useState("");
  if (!entry.may_dial) return html`<${Said} of=${said} />`;
  const agent = visitor.agent || number.trim();
  const send = (event) => {
    event.preventDefault();
    if (confirm(words("dial_sure", { number: entry.number, agent }))) post(`${path}/dial`, { agent });
  };
  return html`
    <form class="choices" onSubmit=${send}>
      ${!visitor.agent && html`
        <label>${words("dial_for")} <input value=${number} list="agents" required maxlength="64" onInput=${(event) => write(event.target.value)} /></label>
        <datalist id="agents">${entries(live.value.state, "agent").map((each) => html`<option value=${each.agent} />`)}</datalist>`}
      <button disabled=${said.asked}>${words("step_dial")}</button>
    </form>
    <${Said} of=${said} />`;
}

// What the visitor may do with the entry; the server says what that is.
function Steps({ entry, path, show, reload }) {
  const { words } = useNames();
  const [post, said] = usePost(show, reload);
  const [why, write] = useState("");
  if (!entry.may.length) return html`<${Said} of=${said} />`;
  const take = async (step) => (await post(`${path}/${step}`, { why: why.trim() })) && write("");
  return html`
    <div class="choices">
      <label>${words("reason_given")} <input value=${why} maxlength="500" onInput=${(event) => write(event.target.value)} /></label>
      ${entry.may.map((step) => html`<button disabled=${said.asked} onClick=${() => take(step)}>${words(`step_${step}`)}</button>`)}
    </div>
    <${Said} of=${said} />`;
}
