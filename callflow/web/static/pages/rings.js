// After how many rings calls are answered, as a histogram in rings.
import uPlot from "uplot";
import { html } from "../html.js";
import { ask } from "../api.js";
import { percent, whole } from "../format.js";
import { Asked, Chart, colour, Empty, Heading, period, PeriodChoice, setQuery, Table, Term, useAsked, WHOLE } from "../parts.js";
import { useWords } from "../words.js";

const CLASSES = ["early", "acceptable", "ideal", "late"];

export default function Rings({ query }) {
  const words = useWords();
  const chosen = { period: query.get("period") ?? "days7", of: query.get("of") ?? "" };
  const [kind, ...name] = chosen.of.split("/");
  const found = useAsked(JSON.stringify(chosen), () => {
    const only = chosen.of ? { [kind]: name.join("/") } : {};
    return ask(`rings?${new URLSearchParams({ ...period(chosen.period), ...only })}`);
  });
  const choose = (change) => setQuery("rings", { ...chosen, ...change });
  return html`
    <${Heading}>${words("rings_title")}<//>
    <div class="choices">
      <${PeriodChoice} value=${chosen.period} choose=${(value) => choose({ period: value })} />
      <label>${words("show")}
        <select onChange=${(event) => choose({ of: event.target.value })}>
          <option value="">${words("all_queues")}</option>
          ${[...new Set([...(found[0]?.names ?? []), ...(chosen.of ? [chosen.of] : [])])].map((each) => html`<option value=${each} selected=${each === chosen.of}>${each.replace("/", " ")}</option>`)}
        </select>
      </label>
    </div>
    <${Asked} of=${found}>${(report) => html`<${Bars} report=${report} />`}<//>`;
}

function Bars({ report }) {
  const words = useWords();
  const counted = report.bars.filter((bar) => CLASSES.includes(bar.answer_class));
  const all = counted.reduce((sum, bar) => sum + bar.count, 0);
  if (!all) return html`<${Empty} title=${words("no_rings")} next=${words("next_step_rings")} />`;
  const rings = [...Array(report.most_rings + 1).keys()];
  const of = (answer_class) => rings.map((n) => counted.filter((bar) => bar.rings === n && bar.answer_class === answer_class).reduce((sum, bar) => sum + bar.count, 0));
  const stacked = CLASSES.map(of);
  const sums = stacked.map((_, i) => rings.map((n) => stacked.slice(0, i + 1).reduce((sum, each) => sum + each[n], 0)));
  const late = counted.filter((bar) => bar.answer_class === "late").reduce((sum, bar) => sum + bar.count, 0);
  const name = (n) => (n === report.most_rings ? `${n}+` : String(n));
  const options = () => ({
    legend: { show: true, live: false },
    cursor: { show: false },
    scales: { x: { time: false, range: [-0.6, report.most_rings + 0.6] }, y: { range: (plot, min, max) => [0, max * 1.1 || 1] } },
    axes: [
      { stroke: colour("text"), grid: { show: false }, values: (plot, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? name(tick) : "")), splits: () => rings, label: words("rings") },
      { stroke: colour("text"), grid: { stroke: colour("line") }, incrs: WHOLE },
    ],
    series: [{}, ...CLASSES.map((each) => ({ label: words(each), fill: colour(each), stroke: colour(each), paths: uPlot.paths.bars({ size: [0.8, 60] }), points: { show: false } })).reverse()],
  });
  const columns = [
    { head: html`<${Term} id="rings">${words("rings")}<//>`, right: true, cell: (row) => name(row.n) },
    ...CLASSES.map((each, i) => ({ head: html`<${Term} id=${each}>${words(each)}<//>`, right: true, cell: (row) => whole(stacked[i][row.n]) })),
  ];
  return html`
    <dl class="figures">
      <div><dt><${Term} id="answered">${words("answered")}<//></dt><dd>${whole(all)}</dd></div>
      <div><dt><${Term} id="within_three">${words("within_three")}<//></dt><dd>${percent(all - late, all)}</dd></div>
      ${CLASSES.map((each) => html`<div><dt><${Term} id=${each}>${words(each)}<//></dt><dd>${percent(of(each).reduce((a, b) => a + b, 0), all)}</dd></div>`)}
    </dl>
    <${Chart} label=${words("rings_title")} options=${options} data=${[rings, ...sums.reverse()]}
      table=${html`<${Table} caption=${words("rings_title")} columns=${columns} rows=${rings.map((n) => ({ n, key: n }))} />`} />`;
}
