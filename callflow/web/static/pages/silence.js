// Silent, quiet and rescued callers over time, by cause and trunk; false hang-ups of observe mode.
import uPlot from "uplot";
import { html } from "../html.js";
import { ask } from "../api.js";
import { day, percent, whole } from "../format.js";
import { Asked, Chart, colour, Empty, Heading, period, PeriodChoice, setQuery, Table, Term, useAsked } from "../parts.js";
import { named, useWords } from "../words.js";

const KINDS = ["silent", "quiet", "rescued"];

export default function Silence({ query }) {
  const words = useWords();
  const chosen = query.get("period") ?? "days30";
  const found = useAsked(chosen, () =>
    ask(`silence?${new URLSearchParams({ ...period(chosen), offset_min: -new Date().getTimezoneOffset() })}`),
  );
  return html`
    <${Heading}>${words("silence_title")}<//>
    <div class="choices"><${PeriodChoice} value=${chosen} choose=${(value) => setQuery("silence", { period: value })} /></div>
    <${Asked} of=${found}>${(report) => html`<${Days} days=${report.days} /><div class="columns">
      <${Causes} title=${words("by_cause")} counts=${report.by_heard} />
      <${Causes} title=${words("by_trunk")} counts=${report.by_trunk} plain /></div>
      <${Observe} rows=${report.observed} />`}<//>`;
}

function Days({ days }) {
  const words = useWords();
  if (!days.length) return html`<${Empty} title=${words("no_silence")} next=${words("next_step_calls")} />`;
  const all = days.reduce((sum, each) => sum + each.screened, 0);
  const of = (kind) => days.reduce((sum, each) => sum + each[kind], 0);
  const every = Math.ceil(days.length / 12);
  const shownDays = days.filter((_, n) => n % every === 0).map((each) => each.day_ms / 1000);
  const options = () => ({
    legend: { show: true, live: false },
    cursor: { show: false },
    scales: { x: { time: true }, y: { range: (plot, min, max) => [0, max * 1.1 || 1] } },
    axes: [
      { stroke: colour("text"), grid: { show: false }, splits: () => shownDays, values: (plot, ticks) => ticks.map((tick) => day(1000 * tick)) },
      { stroke: colour("text"), grid: { stroke: colour("line") } },
    ],
    series: [{}, ...KINDS.map((kind) => ({ label: words(kind), stroke: colour(kind), width: 2, points: { show: true, size: 6 }, paths: uPlot.paths.linear() }))],
  });
  const columns = [
    { head: words("date"), cell: (row) => day(row.day_ms) },
    { head: words("screened"), right: true, cell: (row) => whole(row.screened) },
    ...KINDS.map((kind) => ({ head: words(kind), right: true, cell: (row) => whole(row[kind]) })),
  ];
  return html`
    <dl class="figures">
      <div><dt><${Term} id="screened">${words("screened")}<//></dt><dd>${whole(all)}</dd></div>
      ${KINDS.map((kind) => html`<div><dt><${Term} id=${kind}>${words(kind)}<//></dt><dd>${whole(of(kind))} <small>${percent(of(kind), all)}</small></dd></div>`)}
    </dl>
    <${Chart} label=${words("silence_title")} options=${options}
      data=${[days.map((each) => each.day_ms / 1000), ...KINDS.map((kind) => days.map((each) => each[kind]))]}
      table=${html`<${Table} caption=${words("silence_title")} columns=${columns} rows=${days.map((each) => ({ ...each, key: each.day_ms }))} />`} />`;
}

function Causes({ title, counts, plain }) {
  const words = useWords();
  const rows = Object.entries(counts).map(([name, count]) => ({ name, count, key: name }));
  const most = Math.max(1, ...rows.map((row) => row.count));
  const columns = [
    { head: title, cell: (row) => (plain ? row.name : row.name ? named(row.name) : words("not_judged")) },
    { head: words("count"), right: true, cell: (row) => whole(row.count) },
    { head: "", cell: (row) => html`<meter min="0" max=${most} value=${row.count} aria-label=${`${row.name} ${row.count}`}></meter>` },
  ];
  return html`<section><h2>${title}</h2>${rows.length ? html`<${Table} caption=${title} hidden columns=${columns} rows=${rows} />` : html`<p class="hint">–</p>`}</section>`;
}

function Observe({ rows }) {
  const words = useWords();
  const columns = [
    { head: words("profile"), cell: (row) => row.profile },
    { head: words("observed"), right: true, cell: (row) => whole(row.observed) },
    { head: words("would"), right: true, cell: (row) => whole(row.would_hang_up) },
    { head: html`<${Term} id="false_hang_up">${words("false")}<//>`, right: true, cell: (row) => html`<b class=${row.false_hang_ups ? "bad" : "good"}>${whole(row.false_hang_ups)}</b>` },
  ];
  return html`
    <section><h2>${words("observe")}</h2><p class="hint">${words("observe_help")}</p>
      ${rows.length ? html`<${Table} caption=${words("observe")} hidden columns=${columns} rows=${rows.map((row) => ({ ...row, key: row.profile }))} />` : html`<p class="hint">${words("no_observed")}</p>`}
    </section>`;
}
