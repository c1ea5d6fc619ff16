// The nodes of a fleet: who they are, their clocks, delays and gaps, and whose settings differ.
import { html } from "../html.js";
import { ask } from "../api.js";
import { duration, whole } from "../format.js";
import { Asked, Empty, Heading, Table, Term, useAsked } from "../parts.js";
import { useWords } from "../words.js";

export default function Fleet() {
  const words = useWords();
  const found = useAsked("fleet", () => ask("fleet"));
  return html`
    <${Heading}>${words("fleet")}<//>
    <p class="hint">${words("fleet_help")}</p>
    <${Asked} of=${found}>${(fleet) => (fleet.nodes.length ? html`<${Nodes} fleet=${fleet} />` : html`<${Empty} title=${words("no_nodes")} next=${words("next_step_nodes")} />`)}<//>`;
}

function Nodes({ fleet }) {
  const words = useWords();
  const seconds = (ms, sign) => (ms === null ? "–" : `${sign && ms > 0 ? "+" : ""}${(ms / 1000).toFixed(1)} s`);
  const figure = (name, cell) => ({ head: html`<${Term} id=${name}>${words(name)}<//>`, right: true, cell });
  const text = (name) => ({ head: words(name), cell: (row) => html`<span class="name">${row[name]}</span>` });
  const columns = [
    text("site"),
    text("node"),
    text("host"),
    text("version"),
    figure("node_heard", (row) => duration(Math.max(0, fleet.now_ms - row.last_ms))),
    figure("skew", (row) => seconds(row.skew_ms, true)),
    figure("event_lag", (row) => seconds(row.lag_ms)),
    figure("events_stored", (row) => whole(row.events)),
    figure("gaps", (row) => whole(row.gaps)),
    { head: html`<${Term} id="differs">${words("differs")}<//>`, cell: (row) => html`<span class="name">${row.differs.join(", ") || "–"}</span>` },
    { head: words("wrong"), cell: (row) => html`<b class=${row.wrong.length ? "bad" : "good"}>${row.wrong.join("; ") || words("ok")}</b>` },
  ];
  return html`
    <${Table} caption=${words("fleet")} hidden columns=${columns} rows=${fleet.nodes.map((row) => ({ ...row, key: row.site }))} />
    ${fleet.unread_events > 0 && html`<p class="problem" role="alert">${words("unread_events", { n: whole(fleet.unread_events) })}</p>`}`;
}
