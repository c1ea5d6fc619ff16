// Stored calls: search, older pages, export.
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { ask, me } from "../api.js";
import { duration, moment, short } from "../format.js";
import { Asked, Empty, Heading, period, PeriodChoice, setQuery, Table, Term, useAsked } from "../parts.js";
import { useStore } from "../store.js";
import { named, useWords } from "../words.js";

const RESULTS = ["silent", "quiet", "rescued", "spoke", "key", "passed", "unavailable", "observed", "taken", "hangup"];

export default function Calls({ query }) {
  const words = useWords();
  const visitor = useStore(me);
  const chosen = { period: query.get("period") ?? "days7", result: query.get("result") ?? "", profile: query.get("profile") ?? "", number: query.get("number") ?? "" };
  const choose = (change) => setQuery("calls", { ...chosen, ...change });
  const filter = () => new URLSearchParams(Object.entries({ ...period(chosen.period), result: chosen.result, profile: chosen.profile, number: chosen.number }).filter(([, value]) => value));
  const key = JSON.stringify(chosen);
  const found = useAsked(key, () => ask(`calls?${filter()}`));
  return html`
    <${Heading}>${words("calls")}<//>
    <div class="choices">
      <${PeriodChoice} value=${chosen.period} choose=${(value) => choose({ period: value })} />
      <label>${words("result")}
        <select onChange=${(event) => choose({ result: event.target.value })}>
          <option value="">${words("any")}</option>
          ${RESULTS.map((each) => html`<option value=${each} selected=${each === chosen.result}>${named(each)}</option>`)}
        </select>
      </label>
      <label>${words("profile")} <input value=${chosen.profile} onChange=${(event) => choose({ profile: event.target.value.trim() })} /></label>
      ${visitor.may_unmask && html`<label>${words("number")} <input inputmode="tel" value=${chosen.number} onChange=${(event) => choose({ number: event.target.value.trim() })} /></label>`}
      ${visitor.may_unmask && html`<a class="button" href=${`api/v1/calls/export.csv?${filter()}`} download>${words("export")}</a>`}
    </div>
    <${Asked} of=${found}>${(page) => html`<${List} key=${key} first=${page} filter=${filter} />`}<//>`;
}

function List({ first, filter }) {
  const words = useWords();
  const [pages, add] = useState([]);
  const all = [first, ...pages];
  const rows = all.flatMap((page) => page.calls);
  const next = all.at(-1).next;
  if (!rows.length) return html`<${Empty} title=${words("no_calls")} next=${words("next_step_search")} />`;
  const columns = [
    { head: words("arrived"), cell: (row) => html`<a href=${`#/call/${encodeURIComponent(row.node)}/${encodeURIComponent(row.call_id)}`}><time>${moment(row.arrived_ms)}</time></a>` },
    { head: words("caller"), cell: (row) => html`<span class="name">${row.caller_number || "–"} <bdi>${short(row.caller_name)}</bdi></span>` },
    { head: words("profile"), cell: (row) => html`<span class="name">${row.profile}</span>` },
    { head: html`<${Term} id="result">${words("result")}<//>`, cell: (row) => html`<span class=${`result ${row.result}`}>${row.result ? named(row.result) : words("live_result")}</span>` },
    { head: html`<${Term} id="heard">${words("heard")}<//>`, cell: (row) => named(row.heard) },
    { head: html`<${Term} id="level">${words("level")}<//>`, right: true, cell: (row) => (row.level_dbov === null ? "–" : row.level_dbov) },
    { head: html`<${Term} id="rung">${words("rung")}<//>`, right: true, cell: (row) => row.rung },
    { head: html`<${Term} id="lasted">${words("lasted")}<//>`, right: true, cell: (row) => (row.ended_ms ? duration(row.ended_ms - row.arrived_ms) : "–") },
  ];
  const more = async () => add([...pages, await ask(`calls?${filter()}&cursor=${next}`)]);
  return html`
    <${Table} caption=${words("calls")} hidden columns=${columns} rows=${rows.map((row) => ({ ...row, key: `${row.node}/${row.call_id}` }))} />
    ${next && html`<button onClick=${more}>${words("more")}</button>`}`;
}
