// What several pages show: headings, tables, charts with the table behind them, empty states, problems.
import uPlot from "uplot";
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "./html.js";
import { day, pad } from "./format.js";
import { useWords } from "./words.js";

export const Heading = ({ children }) => html`<h1 tabindex="-1">${children}</h1>`;

// A number or its name, linked to what it means. `aside`: the same link stands elsewhere, so the Tab key passes over it.
export const Term = ({ id, aside, children }) => html`<a class="term" href=${`#/definitions/${id}`} tabindex=${aside ? -1 : undefined}>${children}</a>`;

export const Empty = ({ title, next }) => html`<div class="empty"><p>${title}</p><p class="hint">${next}</p></div>`;

// columns: [{ name, head, right, cell(row) }]
export function Table({ caption, columns, rows, hidden }) {
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label=${caption}>
      <table>
        <caption class=${hidden ? "hidden" : ""}>${caption}</caption>
        <thead><tr>${columns.map((each) => html`<th scope="col" class=${each.right ? "right" : ""}>${each.head}</th>`)}</tr></thead>
        <tbody>
          ${rows.map((row) => html`<tr key=${row.key}>${columns.map((each) => html`<td class=${each.right ? "right" : ""}>${each.cell(row)}</td>`)}</tr>`)}
        </tbody>
      </table>
    </div>`;
}

// A caller's number, and a button that shows it whole to those who may see it; `unmask` asks for it.
export function CallerNumber({ number, may, unmask }) {
  const words = useWords();
  const [whole, show] = useState(null);
  if (whole !== null || !may) return html`${(whole ?? number) || "–"}`;
  return html`${number || "–"} <button onClick=${async () => show(await unmask())} title=${words("unmask_note")}>${words("unmask")}</button>`;
}

// What a person has done failed: the sentence, and its remedy.
export const Failed = ({ problem }) => problem && html`<p class="problem" role="alert">${problem.message}. ${problem.remedy}</p>`;

// A request that is made anew when `key` changes, and again and again while the database is away: [data, problem, reload].
export function useAsked(key, request) {
  const [found, show] = useState({});
  const [turn, again] = useState(0);
  useEffect(() => {
    let current = true;
    let timer;
    request()
      .then((data) => current && show({ data }))
      .catch((problem) => {
        if (!current) return;
        show({ problem });
        if (problem.isAway) timer = setTimeout(() => again((n) => n + 1), AWAY_MS);
      });
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [key, turn]);
  return [found.data, found.problem, () => again((n) => n + 1)];
}

const AWAY_MS = 3000;

export function Asked({ of: [data, problem, reload], children }) {
  const words = useWords();
  if (problem) {
    return html`<div class="problem" role="alert"><p>${problem.message}. ${problem.remedy}</p><button onClick=${reload}>${words("again")}</button></div>`;
  }
  return data ? children(data) : html`<p class="hint">${words("loading")}</p>`;
}

// A chart of uPlot, redrawn when its data change, with the same figures as a table behind it.
export function Chart({ options, data, table, label }) {
  const box = useRef(null);
  const words = useWords();
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const width = () => Math.max(280, element.clientWidth);
    const plot = new uPlot({ ...options(), width: width(), height: 260 }, data, element);
    const watch = new ResizeObserver(() => plot.setSize({ width: width(), height: 260 }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [JSON.stringify(data), document.documentElement.dataset.theme, document.documentElement.lang]);
  return html`
    <figure>
      <div ref=${box} role="img" aria-label=${label}></div>
      <details><summary>${words("table")}</summary>${table}</details>
    </figure>`;
}

// Lines over days: `lines` is [{ label, values, stroke, dash }], a value for each day; `range` of the values, if fixed.
export function Lines({ label, days, lines, table, range }) {
  const every = Math.ceil(days.length / 12);
  const shown = days.filter((_, n) => n % every === 0).map((each) => each.day_ms / 1000);
  const options = () => ({
    legend: { show: true, live: false },
    cursor: { show: false },
    scales: { x: { time: true }, y: { range: range ?? ((plot, min, max) => [0, max * 1.1 || 1]) } },
    axes: [
      { stroke: colour("text"), grid: { show: false }, splits: () => shown, values: (plot, ticks) => ticks.map((tick) => day(1000 * tick)) },
      { stroke: colour("text"), grid: { stroke: colour("line") }, ...(!range && { incrs: WHOLE }) },
    ],
    series: [{}, ...lines.map((line) => ({ label: line.label, stroke: colour(line.stroke), dash: line.dash, width: 2, points: { show: true, size: 6 }, paths: uPlot.paths.linear() }))],
  });
  return html`<${Chart} label=${label} options=${options} data=${[days.map((each) => each.day_ms / 1000), ...lines.map((line) => line.values)]} table=${table} />`;
}

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// Steps of an axis that counts: there is no half a call.
export const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 1000000];

const DAY = 86400000;
export const PERIODS = { today: 1, days7: 7, days30: 30, days365: 365 };

// By which local days are counted: this browser's zone; without one, its offset from UTC now.
export const clock = () => ({ zone: Intl.DateTimeFormat().resolvedOptions().timeZone ?? "", offset_min: -new Date().getTimezoneOffset() });

// A named period, or FROM..TO in local dates, both included: first and last moment by this browser's clock and zone.
export function period(name) {
  const days = /^(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)$/.exec(name);
  if (days) {
    const until = new Date(`${days[2]}T00:00`);
    until.setDate(until.getDate() + 1);
    return { since_ms: new Date(`${days[1]}T00:00`).getTime(), until_ms: until.getTime() };
  }
  const midnight = new Date();
  midnight.setHours(24, 0, 0, 0);
  const from = new Date(midnight.getTime() - (PERIODS[name] ?? 7) * DAY);
  from.setHours(0, 0, 0, 0);
  return { since_ms: from.getTime(), until_ms: midnight.getTime() };
}

export function PeriodChoice({ value, choose }) {
  const words = useWords();
  return html`
    <label>${words("period")}
      <select value=${value} onChange=${(event) => choose(event.target.value)}>
        ${Object.keys(PERIODS).map((name) => html`<option value=${name} selected=${name === value}>${words(name)}</option>`)}
        ${!PERIODS[value] && html`<option value=${value} selected>${words("chosen_days")}</option>`}
      </select>
    </label>
    <${Days} value=${value} choose=${choose} />`;
}

// Two dates of one's own, shown filled with the period that is chosen.
function Days({ value, choose }) {
  const words = useWords();
  const { since_ms, until_ms } = period(value);
  const [from, to] = [pad(new Date(since_ms)), pad(new Date(until_ms - 1))];
  const change = (first, last) => first && last && choose(first <= last ? `${first}..${last}` : `${last}..${first}`);
  return html`
    <label>${words("from")} <input type="date" value=${from} onChange=${(event) => change(event.target.value, to)} /></label>
    <label>${words("to")} <input type="date" value=${to} onChange=${(event) => change(from, event.target.value)} /></label>`;
}

export function setQuery(page, values) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
  location.hash = `#/${page}?${query}`;
}
