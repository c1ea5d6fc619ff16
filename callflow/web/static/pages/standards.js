// Service standards: what callers got, against what they are promised.
import { html } from "../html.js";
import { ask } from "../api.js";
import { whole } from "../format.js";
import { Asked, Empty, Heading, period, PeriodChoice, setQuery, Table, Term, useAsked } from "../parts.js";
import { useWords } from "../words.js";

const signed = (value) => (value === null ? "–" : `${value > 0 ? "+" : ""}${value.toFixed(2)}`);
const LIGHTS = { green: "good", yellow: "warn", red: "bad", none: "off" };

export default function Standards({ query }) {
  const words = useWords();
  const chosen = query.get("period") ?? "days7";
  const found = useAsked(chosen, () =>
    ask(`standards?${new URLSearchParams(period(chosen))}`).catch((problem) => {
      if (problem.status === 404) return { rows: null };
      throw problem;
    }),
  );
  return html`
    <${Heading}>${words("standards_title")}<//>
    <div class="choices"><${PeriodChoice} value=${chosen} choose=${(value) => setQuery("standards", { period: value })} /></div>
    <${Asked} of=${found}>${({ rows }) => (rows?.length ? html`<${List} rows=${rows} />` : html`<${Empty} title=${words("no_standards")} next=${words("next_step_standards")} />`)}<//>`;
}

function List({ rows }) {
  const words = useWords();
  const level = (value, unit) => (value === null ? "–" : unit === "of 5" ? value.toFixed(2) : `${value.toFixed(1)} ${unit}`);
  const number = (name, cell) => ({ head: html`<${Term} id=${name}>${words(name)}<//>`, right: true, cell });
  const columns = [
    { head: words("standard"), cell: (row) => html`<span class="name">${row.standard}</span>` },
    number("perceived", (row) => html`<b>${level(row.perceived, row.unit)}</b>`),
    number("sampled", (row) => whole(row.cases)),
    number("adequate", (row) => level(row.adequate, row.unit)),
    number("desired", (row) => level(row.desired, row.unit)),
    number("msa", (row) => html`<span class=${LIGHTS[row.judgement]}>${signed(row.msa)}</span>`),
    number("mss", (row) => html`<span class=${LIGHTS[row.judgement]}>${signed(row.mss)}</span>`),
    { head: html`<${Term} id="judgement">${words("judgement")}<//>`, cell: (row) => html`<b class=${LIGHTS[row.judgement]}>${words(`light_${row.judgement}`)}</b>` },
    { head: html`<${Term} id="trend">${words("trend")}<//>`, cell: (row) => words(`trend_${row.trend}`) },
    { head: words("owner"), cell: (row) => html`<span class="name">${row.owner}${row.review_overdue ? ` · ${words("review_overdue")}` : ""}</span>` },
  ];
  return html`<${Table} caption=${words("standards_title")} hidden columns=${columns} rows=${rows.map((row) => ({ ...row, key: row.standard }))} />`;
}
