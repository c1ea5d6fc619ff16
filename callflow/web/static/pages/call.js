// One call: its facts, its picture, and everything that happened in it with its reason.
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { ask, me } from "../api.js";
import { duration, moment, seconds, short } from "../format.js";
import { Asked, CallerNumber, Empty, Heading, Table, Term, useAsked } from "../parts.js";
import { lanes, Picture } from "../picture.js";
import { useStore } from "../store.js";
import { named, useWords } from "../words.js";

export default function Call({ rest: [node, id] }) {
  const words = useWords();
  const path = `calls/${encodeURIComponent(node)}/${encodeURIComponent(id)}`;
  const found = useAsked(path, () => ask(path));
  return html`
    <p><a href="#/calls" onClick=${(event) => { if (history.length > 1) { event.preventDefault(); history.back(); } }}>${words("back")}</a></p>
    <${Heading}>${words("one_call")}<//>
    <${Asked} of=${found}>${(detail) => html`<${Detail} detail=${detail} path=${path} />`}<//>`;
}

function Detail({ detail, path }) {
  const words = useWords();
  const drawn = lanes(detail, words);
  const when = (ms) => `${seconds(ms)} s`;
  const happened = [
    { head: html`<${Term} id="at">${words("at")}<//>`, right: true, cell: (row) => html`<span title=${moment(row.at_ms, true)}>${when(row.at_ms - detail.arrived_ms)}</span>` },
    { head: words("what"), cell: (row) => html`<b class=${`kind ${row.kind}`}>${named(`did_${row.kind}`, row.kind)}</b> <bdi class="name">${row.what}</bdi>` },
    { head: words("why"), cell: (row) => html`<span class="name">${row.why}</span>` },
  ];
  const marked = (lane) => lane.marks.map((mark) => ({ ...mark, name: [mark.name, mark.why].filter(Boolean).join(": "), from: mark.at, to: mark.at }));
  const spans = drawn.rows.flatMap((lane) => [...lane.spans, ...marked(lane)].map((span, n) => ({ ...span, lane: lane.name, key: `${lane.name} ${n}` })));
  const shown = [
    { head: words("lane"), cell: (row) => html`<span class="name">${row.lane}</span>` },
    { head: words("what"), cell: (row) => html`<span class="name">${row.name}</span>` },
    { head: html`<${Term} id="at">${words("at")}<//>`, right: true, cell: (row) => when(row.from) },
    { head: html`<${Term} id="span">${words("lasted")}<//>`, right: true, cell: (row) => when(row.to - row.from) },
  ];
  return html`
    <${Facts} detail=${detail} path=${path} />
    <p><${Copy} /></p>
    <h2>${words("picture")}</h2>
    <figure>
      <div class="scroll" tabindex="0" role="region" aria-label=${words("picture")}><${Picture} drawn=${drawn} /></div>
      <details><summary>${words("table")}</summary><${Table} caption=${words("picture")} columns=${shown} rows=${spans} /></details>
    </figure>
    <h2>${words("timeline")}</h2>
    ${detail.happenings.length
      ? html`<${Table} caption=${words("timeline")} hidden columns=${happened} rows=${detail.happenings.map((row) => ({ ...row, key: row.seq }))} />`
      : html`<${Empty} title=${words("no_timeline")} next=${words("next_step_timeline")} />`}`;
}

function Facts({ detail, path }) {
  const words = useWords();
  const visitor = useStore(me);
  const unmask = async () => (await ask(`${path}?unmask=true`)).caller_number;
  const held = detail.talks.reduce((sum, talk) => ({ count: sum.count + talk.hold_count, ms: sum.ms + talk.hold_ms, longest: Math.max(sum.longest, talk.longest_hold_ms) }), { count: 0, ms: 0, longest: 0 });
  const wrapped = detail.wrap_ups.reduce((sum, each) => sum + (each.wrap_up_ms ?? 0), 0);
  const heard = `${named(detail.heard)}${detail.level_dbov === null ? "" : ` ${detail.level_dbov} dBov`}${detail.gain_db ? ` +${detail.gain_db} dB` : ""}`;
  return html`
    <dl class="figures">
      <div><dt>${words("arrived")}</dt><dd><time>${moment(detail.arrived_ms, true)}</time></dd></div>
      <div><dt><${Term} id="result">${words("result")}<//></dt><dd class=${`result ${detail.result}`}>${detail.result ? named(detail.result) : words("live_result")}</dd></div>
      ${detail.would && html`<div><dt><${Term} id="would">${words("would")}<//></dt><dd>${named(detail.would)}</dd></div>`}
      <div><dt><${Term} id="heard">${words("heard")}<//></dt><dd>${heard}</dd></div>
      <div><dt>${words("profile")}</dt><dd class="name">${detail.profile} · ${detail.language} · ${detail.ear}</dd></div>
      ${held.count > 0 && html`<div><dt><${Term} id="hold">${words("on_hold")}<//></dt><dd>${held.count} × <small>${words("held_for", { all: duration(held.ms), longest: duration(held.longest) })}</small></dd></div>`}
      ${detail.transfers.length > 0 && html`<div><dt><${Term} id="transferred">${words("transferred")}<//></dt><dd>${detail.transfers.length} ×</dd></div>`}
      ${wrapped > 0 && html`<div><dt><${Term} id="wrap_up">${words("wrap_up")}<//></dt><dd>${duration(wrapped)}</dd></div>`}
      <div><dt>${words("number")}</dt><dd class="name"><${CallerNumber} number=${detail.caller_number} may=${visitor.may_unmask} unmask=${unmask} /> <bdi>${short(detail.caller_name)}</bdi></dd></div>
    </dl>`;
}

function Copy() {
  const words = useWords();
  const [copied, tell] = useState(false);
  const copy = () => navigator.clipboard?.writeText(location.href).then(() => tell(true));
  return html`<button onClick=${copy}>${words(copied ? "copied" : "copy")}</button>`;
}
