// How callers rated their calls: over time, and by agent, queue or line.
import { html } from "../html.js";
import { ask, me } from "../api.js";
import { day, percent, whole } from "../format.js";
import { Asked, clock, Empty, Heading, Lines, period, PeriodChoice, setQuery, Table, Term, useAsked } from "../parts.js";
import { useStore } from "../store.js";
import { useWords } from "../words.js";

const SCALES = ["efficiency", "attitude", "correctness"];
const BY = ["agent", "queue", "line"];
const mean = (value) => (value === null ? "–" : value.toFixed(2));

export default function Ratings({ query }) {
  const words = useWords();
  const visitor = useStore(me);
  const chosen = { period: query.get("period") ?? "days30", by: BY.includes(query.get("by")) ? query.get("by") : "agent" };
  const choose = (change) => setQuery("ratings", { ...chosen, ...change });
  const found = useAsked(JSON.stringify(chosen), () =>
    ask(`ratings?${new URLSearchParams({ ...period(chosen.period), by: chosen.by, ...clock() })}`),
  );
  return html`
    <${Heading}>${words("ratings_title")}<//>
    <div class="choices">
      <${PeriodChoice} value=${chosen.period} choose=${(value) => choose({ period: value })} />
      ${visitor.role !== "agent" && html`<label>${words("show")}
        <select onChange=${(event) => choose({ by: event.target.value })}>${BY.map((each) => html`<option value=${each} selected=${each === chosen.by}>${words(each)}</option>`)}</select>
      </label>`}
    </div>
    <${Asked} of=${found}>${(report) => html`<${Report} report=${report} />`}<//>`;
}

function Report({ report }) {
  const words = useWords();
  const { total, days, rows } = report;
  const notAsked = Object.entries(report.not_asked);
  if (!total.rating_asked && !notAsked.length) return html`<${Empty} title=${words("no_ratings")} next=${words("next_step_ratings")} />`;
  const means = SCALES.map((scale) => ({ head: html`<${Term} id=${scale}>${words(scale)}<//>`, right: true, cell: (row) => html`${mean(row[`mean_${scale}`])}${row[`n_${scale}`] === undefined ? "" : html` <small>(${whole(row[`n_${scale}`])})</small>`}` }));
  const asked = [
    { head: html`<${Term} id="rating_asked">${words("rating_asked")}<//>`, right: true, cell: (row) => whole(row.rating_asked) },
    { head: html`<${Term} id="rating_answered">${words("rating_answered")}<//>`, right: true, cell: (row) => whole(row.rating_answered) },
  ];
  const byDay = [{ head: words("date"), cell: (row) => html`<time>${day(row.day_ms)}</time>` }, ...asked, ...means];
  const byName = [
    { head: words(report.by), cell: (row) => html`<span class="name">${row.name}</span>` },
    ...asked,
    { head: html`<${Term} id="response_rate">${words("response_rate")}<//>`, right: true, cell: (row) => percent(row.rating_answered, row.rating_asked) },
    ...means,
  ];
  const reasons = [
    { head: words("why"), cell: (row) => html`<span class="name">${words(`not_asked_${row.key}`)}</span>` },
    { head: html`<${Term} id="not_asked">${words("count")}<//>`, right: true, cell: (row) => whole(row.count) },
  ];
  const drawn = days.filter((each) => each.rating_answered);
  const label = words("ratings_title");
  return html`
    <dl class="figures">
      <div><dt><${Term} id="rating_asked">${words("rating_asked")}<//></dt><dd>${whole(total.rating_asked)}</dd></div>
      <div><dt><${Term} id="response_rate">${words("response_rate")}<//></dt><dd>${percent(total.rating_answered, total.rating_asked)}</dd></div>
      ${SCALES.map((scale) => html`<div><dt><${Term} id=${scale}>${words(scale)}<//></dt><dd>${mean(total[`mean_${scale}`])} <small>(${whole(total[`n_${scale}`])})</small></dd></div>`)}
    </dl>
    ${drawn.length > 0 && html`<${Lines} label=${label} days=${drawn} range=${[1, 5.2]} lines=${SCALES.map((scale, n) => ({ label: words(scale), stroke: `line${n}`, dash: [[], [8, 4], [2, 3]][n], values: drawn.map((each) => each[`mean_${scale}`]) }))}
      table=${html`<${Table} caption=${label} columns=${byDay} rows=${days.map((each) => ({ ...each, key: each.day_ms }))} />`} />`}
    ${rows.length > 0 && html`<section><h2>${words(`ratings_by_${report.by}`)}</h2><${Table} caption=${words(`ratings_by_${report.by}`)} hidden columns=${byName} rows=${rows.map((row) => ({ ...row, key: row.name }))} /></section>`}
    ${notAsked.length > 0 && html`<section><h2>${words("not_asked")}</h2><${Table} caption=${words("not_asked")} hidden columns=${reasons} rows=${notAsked.map(([key, count]) => ({ key, count }))} /></section>`}`;
}
