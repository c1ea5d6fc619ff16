// One call drawn to scale, and everything that happened in it with its reason.
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { ask, me } from "../api.js";
import { moment, seconds } from "../format.js";
import { Asked, Heading, Table, useAsked } from "../parts.js";
import { useStore } from "../store.js";
import { named, useWords } from "../words.js";

const LANE = 34;
const LEFT = 150;

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
  const { call, timeline } = detail;
  const columns = [
    { head: words("at"), right: true, cell: (row) => html`<span title=${moment(row.at_ms, true)}>${seconds(row.at_ms - call.arrived_ms)} s</span>` },
    { head: words("what"), cell: (row) => html`<b class=${`kind ${row.kind}`}>${row.kind.replaceAll("_", " ")}</b> <bdi>${row.what}</bdi>` },
    { head: words("why"), cell: (row) => row.why },
  ];
  const [copied, tell] = useState(false);
  const copy = () => navigator.clipboard?.writeText(location.href).then(() => tell(true));
  return html`
    <dl class="figures">
      <div><dt>${words("arrived")}</dt><dd>${moment(call.arrived_ms, true)}</dd></div>
      <div><dt>${words("result")}</dt><dd class=${`result ${call.result}`}>${call.result ? named(call.result) : words("live_result")}</dd></div>
      ${call.would && html`<div><dt>${words("would")}</dt><dd>${named(call.would)}</dd></div>`}
      <div><dt>${words("heard")}</dt><dd>${named(call.heard)}${call.level_dbov === null ? "" : ` ${call.level_dbov} dBov`}${call.gain_db ? ` +${call.gain_db} dB` : ""}</dd></div>
      <div><dt>${words("profile")}</dt><dd>${call.profile} · ${call.language} · ${call.ear}</dd></div>
      <div><dt>${words("number")}</dt><dd><${Number} call=${call} path=${path} /></dd></div>
    </dl>
    <p><button onClick=${copy}>${words(copied ? "copied" : "copy")}</button></p>
    <h2>${words("picture")}</h2>
    <div class="scroll" tabindex="0" role="region" aria-label=${words("picture")}><${Picture} detail=${detail} /></div>
    <h2>${words("timeline")}</h2>
    <${Table} caption=${words("timeline")} hidden columns=${columns} rows=${timeline.map((row) => ({ ...row, key: row.seq }))} />`;
}

function Number({ call, path }) {
  const words = useWords();
  const visitor = useStore(me);
  const [shown, show] = useState(null);
  if (shown !== null || !visitor.may_unmask) return html`${shown ?? (call.caller || "–")} <bdi>${call.caller_name}</bdi>`;
  const unmask = async () => show((await ask(`${path}?unmask=true`)).number || "–");
  return html`${call.caller || "–"} <bdi>${call.caller_name}</bdi> <button onClick=${unmask} title=${words("unmask_note")}>${words("unmask")}</button>`;
}

// The spans and marks of each lane, all in ms since the arrival.
function lanes({ call, timeline, stays, legs }, words) {
  const from = (ms) => ms - call.arrived_ms;
  const end = Math.max(call.ended_ms ?? 0, ...timeline.map((each) => each.at_ms), ...stays.map((each) => each.talk_end_ms ?? each.left_ms ?? 0), ...legs.map((each) => each.ended_ms ?? 0), call.arrived_ms + 1000);
  const says = [], caller = [], heard = [], decides = [];
  let open = null;
  for (const { kind, at_ms, what, why } of timeline) {
    const at = from(at_ms);
    if (kind === "said") open = { from: at, to: from(end), name: what, kind: "prompt" }, says.push(open);
    else if (open && ["prompt_ended", "prompt_stopped", "prompt_failed", "decided"].includes(kind)) (open.to = at), (open = null);
    if (kind === "speech" || kind === "click" || kind === "key" || kind === "hung_up") caller.push({ at, name: what || kind.replace("_", " "), kind, why });
    const level = / ?-?[\d.]+ dBov/.exec(kind === "heard" ? why : "")?.[0] ?? "";
    if (kind === "heard") heard.push({ at, name: named(what) + (["speech", "quiet"].includes(what) ? ` ${level.trim()}` : ""), kind, why });
    if (kind === "gain" || kind === "pause" || kind === "decided" || kind === "would") decides.push({ at, name: kind === "decided" || kind === "would" ? named(what) : `${kind} ${what}`, kind, why });
  }
  const rows = [
    { name: words("lane_says"), spans: says, marks: [] },
    { name: words("lane_caller"), spans: [], marks: caller },
    { name: words("lane_heard"), spans: [], marks: heard },
    { name: words("lane_decides"), spans: [], marks: decides },
  ];
  for (const stay of stays) {
    const to = stay.connect_ms ?? stay.left_ms ?? end;
    const spans = [{ from: from(stay.joined_ms), to: from(to), name: words("waiting"), kind: "wait" }];
    if (stay.connect_ms) spans.push({ from: from(stay.connect_ms), to: from(stay.talk_end_ms ?? end), name: `${words("talking")} ${stay.agent}`, kind: "talk" });
    rows.push({ name: words("lane_queue", { name: stay.queue }), spans, marks: [] });
  }
  for (const leg of legs) {
    const spans = leg.ring_start_ms ? [{ from: from(leg.ring_start_ms), to: from(leg.pickup_ms ?? leg.ended_ms ?? end), name: `${leg.rings ?? ""} ${words("rings")}`, kind: leg.answer_class ?? "ring" }] : [];
    const marks = leg.pickup_ms ? [{ at: from(leg.pickup_ms), name: words("answered"), kind: "pickup", why: leg.answer_class ?? "" }] : [];
    rows.push({ name: words("lane_phone", { name: leg.agent || leg.interface }), spans, marks });
  }
  return { rows: rows.filter((row) => row.spans.length || row.marks.length), length: from(end) };
}

function Picture({ detail }) {
  const words = useWords();
  const { rows, length } = lanes(detail, words);
  const width = Math.max(900, Math.min(4000, LEFT + 60 + length / 20));
  const x = (ms) => LEFT + (Math.max(0, ms) / length) * (width - LEFT - 40);
  const height = rows.length * LANE + 28;
  const step = [100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000, 300000].find((each) => length / each <= 24) ?? 600000;
  const ticks = [...Array(Math.floor(length / step) + 1).keys()].map((n) => n * step);
  return html`
    <svg class="picture" viewBox=${`0 0 ${width} ${height}`} width=${width} height=${height} role="img" aria-label=${words("picture")}>
      ${ticks.map((ms) => html`<g class="tick"><line x1=${x(ms)} x2=${x(ms)} y1="0" y2=${height - 22} /><text x=${x(ms)} y=${height - 8}>${ms / 1000} s</text></g>`)}
      ${rows.map((row, n) => html`
        <g>
          <text class="lane" x="4" y=${n * LANE + 21}>${row.name}</text>
          ${row.spans.map((span) => html`
            <g><title>${`${span.name} ${seconds(span.from)}–${seconds(span.to)} s`}</title>
              <rect class=${`span ${span.kind}`} x=${x(span.from)} y=${n * LANE + 5} width=${Math.max(2, x(span.to) - x(span.from))} height="22" rx="4" />
              ${x(span.to) - x(span.from) > 7 * span.name.length && html`<text class="inside" x=${x(span.from) + 5} y=${n * LANE + 20}>${span.name}</text>`}</g>`)}
          ${row.marks.map((mark) => html`
            <g class=${`mark ${mark.kind}`}><title>${`${seconds(mark.at)} s ${mark.name}${mark.why ? `: ${mark.why}` : ""}`}</title>
              <circle cx=${x(mark.at)} cy=${n * LANE + 16} r="5" /><text x=${x(mark.at) + 8} y=${n * LANE + 20}>${mark.name}</text></g>`)}
        </g>`)}
    </svg>`;
}
