// Silent, quiet and rescued callers over time, in all, by cause and by trunk; false hang-ups of observe mode.
import { html } from "../html.js";
import { ask } from "../api.js";
import { day, percent, whole } from "../format.js";
import { Asked, clock, Empty, Heading, Lines, period, PeriodChoice, setQuery, Table, Term, useAsked } from "../parts.js";
import { named, useWords } from "../words.js";

const KINDS = ["silent", "quiet", "rescued"];
const MOST_LINES = 6; // as many causes or trunks are drawn; the table has all
const DASHES = [[], [8, 4], [2, 3], [12, 3, 2, 3], [4, 4], [1, 5]]; // a line is known by more than its colour

export default function Silence({ query }) {
  const words = useWords();
  const chosen = { period: query.get("period") ?? "days30", kind: KINDS.includes(query.get("kind")) ? query.get("kind") : "silent" };
  const choose = (change) => setQuery("silence", { ...chosen, ...change });
  const found = useAsked(chosen.period, () =>
    ask(`silence?${new URLSearchParams({ ...period(chosen.period), ...clock() })}`),
  );
  return html`
    <${Heading}>${words("silence_title")}<//>
    <div class="choices"><${PeriodChoice} value=${chosen.period} choose=${(value) => choose({ period: value })} /></div>
    <${Asked} of=${found}>${(report) => html`<${Report} report=${report} kind=${chosen.kind} choose=${choose} />`}<//>`;
}

function Report({ report, kind, choose }) {
  const words = useWords();
  const names = { heard: (name) => (name ? named(name) : words("not_judged")), trunk: (name) => name || words("no_trunk") };
  return html`
    ${report.days.length
      ? html`
        <${Days} days=${report.days} />
        <div class="choices">
          <label>${words("by_cause_and_trunk")}
            <select onChange=${(event) => choose({ kind: event.target.value })}>${KINDS.map((each) => html`<option value=${each} selected=${each === kind}>${words(each)}</option>`)}</select>
          </label>
        </div>
        <${Groups} term="cause" title=${words("by_cause")} name=${names.heard} groups=${report.by_heard} days=${report.days} kind=${kind} />
        <${Groups} term="trunk" title=${words("by_trunk")} name=${names.trunk} groups=${report.by_trunk} days=${report.days} kind=${kind} />`
      : html`<${Empty} title=${words("no_silence")} next=${words("next_step_calls")} />`}
    <${Observe} rows=${report.observed} />`;
}

function Days({ days }) {
  const words = useWords();
  const all = days.reduce((sum, each) => sum + each.screened, 0);
  const of = (kind) => days.reduce((sum, each) => sum + each[kind], 0);
  const columns = [
    { head: words("date"), cell: (row) => html`<time>${day(row.day_ms)}</time>` },
    { head: html`<${Term} id="screened">${words("screened")}<//>`, right: true, cell: (row) => whole(row.screened) },
    ...KINDS.map((kind) => ({ head: html`<${Term} id=${kind}>${words(kind)}<//>`, right: true, cell: (row) => whole(row[kind]) })),
  ];
  return html`
    <dl class="figures">
      <div><dt><${Term} id="screened">${words("screened")}<//></dt><dd>${whole(all)}</dd></div>
      ${KINDS.map((kind) => html`<div><dt><${Term} id=${kind}>${words(kind)}<//></dt><dd>${whole(of(kind))} <small>${percent(of(kind), all)}</small></dd></div>`)}
    </dl>
    <${Lines} label=${words("silence_title")} days=${days} lines=${KINDS.map((kind) => ({ label: words(kind), stroke: kind, values: days.map((each) => each[kind]) }))}
      table=${html`<${Table} caption=${words("silence_title")} columns=${columns} rows=${days.map((each) => ({ ...each, key: each.day_ms }))} />`} />`;
}

// Causes or trunks: all their callers in the period, and those of one kind day by day.
function Groups({ term, title, name, groups, days, kind }) {
  const words = useWords();
  if (!groups.length) return html`<section><h2>${title}</h2><p class="hint">${words("nobody_unheard")}</p></section>`;
  const totals = [
    { head: title, cell: (row) => html`<span class="name">${name(row.name)}</span>` },
    ...KINDS.map((each) => ({ head: html`<${Term} id=${each}>${words(each)}<//>`, right: true, cell: (row) => whole(row[each]) })),
  ];
  const ofKind = groups.filter((group) => group[kind]).sort((a, b) => b[kind] - a[kind]);
  const on = (group, { day_ms }) => group.days.find((each) => each.day_ms === day_ms)?.[kind] ?? 0;
  const byDay = [
    { head: words("date"), cell: (row) => html`<time>${day(row.day_ms)}</time>` },
    ...ofKind.map((group) => ({ head: html`<${Term} id=${term}>${name(group.name)}<//>`, right: true, cell: (row) => whole(on(group, row)) })),
  ];
  const lines = ofKind.slice(0, MOST_LINES).map((group, n) => ({ label: name(group.name), stroke: `line${n}`, dash: DASHES[n], values: days.map((each) => on(group, each)) }));
  const label = `${title}: ${words(kind)}`;
  return html`
    <section><h2>${title}</h2>
      <${Table} caption=${title} hidden columns=${totals} rows=${groups.map((group) => ({ ...group, key: group.name }))} />
      ${lines.length
        ? html`<${Lines} label=${label} days=${days} lines=${lines} table=${html`<${Table} caption=${label} columns=${byDay} rows=${days.map((each) => ({ ...each, key: each.day_ms }))} />`} />`
        : html`<p class="hint">${words("none_of_kind", { kind: words(kind) })}</p>`}
    </section>`;
}

function Observe({ rows }) {
  const words = useWords();
  const columns = [
    { head: words("profile"), cell: (row) => html`<span class="name">${row.profile}</span>` },
    { head: html`<${Term} id="observed">${words("observed")}<//>`, right: true, cell: (row) => whole(row.observed) },
    { head: html`<${Term} id="would">${words("would")}<//>`, right: true, cell: (row) => whole(row.would_hang_up) },
    { head: html`<${Term} id="false_hang_up">${words("false")}<//>`, right: true, cell: (row) => html`<b class=${row.false_hang_ups ? "bad" : "good"}>${whole(row.false_hang_ups)}</b>` },
  ];
  return html`
    <section><h2>${words("observe")}</h2><p class="hint">${words("observe_help")}</p>
      ${rows.length ? html`<${Table} caption=${words("observe")} hidden columns=${columns} rows=${rows.map((row) => ({ ...row, key: row.profile }))} />` : html`<${Empty} title=${words("no_observed")} next=${words("next_step_observe")} />`}
    </section>`;
}
