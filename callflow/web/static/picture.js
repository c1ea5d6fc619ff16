// One call drawn to scale: a lane for callflow, the caller, each queue, phone and talk.
import { html } from "./html.js";
import { duration, seconds } from "./format.js";
import { named, stepInWords, useWords } from "./words.js";

const LANE = 34;
const LEFT = 150;
const PROMPT_ENDS = ["prompt_ended", "prompt_stopped", "prompt_failed", "decided"];

// The lanes of a call: { rows: [{ name, spans: [{ from, to, name, kind }], marks: [{ at, name, kind, why }] }], length }, all
// in ms since the arrival.
export function lanes(call, words) {
  const from = (ms) => ms - call.arrived_ms;
  const end = Math.max(
    call.arrived_ms + 1000,
    ...[call.ended_ms, ...call.happenings.map((each) => each.at_ms), ...call.legs.map((each) => each.ended_ms)],
    ...call.stays.map((each) => each.talk_end_ms ?? each.left_ms),
    ...[...call.talks, ...call.holds].map((each) => each.ended_ms ?? each.began_ms),
    ...[...call.assist_steps, ...call.transfers].map((each) => each.at_ms),
    ...call.wrap_ups.map((each) => each.ended_ms ?? each.began_ms ?? each.asked_ms),
  );
  const rows = [...screening(call, from, end, words), ...queues(call, from, end, words), ...phones(call, from, end, words), ...talks(call, from, end, words), ...transfers(call, from, words), ...assistance(call, from, words), ...wrapUps(call, from, end, words)];
  return { rows: rows.filter((row) => row.spans.length || row.marks.length), length: from(end) };
}

function screening({ happenings }, from, end, words) {
  const says = [], caller = [], heard = [], decides = [];
  let open = null;
  for (const { kind, at_ms, what, why } of happenings) {
    const at = from(at_ms);
    if (kind === "said") open = { from: at, to: from(end), name: what, kind: "prompt" }, says.push(open);
    else if (open && PROMPT_ENDS.includes(kind)) (open.to = at), (open = null);
    if (kind === "speech" || kind === "click" || kind === "key" || kind === "hung_up") caller.push({ at, name: what || words(`did_${kind}`), kind, why });
    const level = / ?-?[\d.]+ dBov/.exec(kind === "heard" ? why : "")?.[0] ?? "";
    if (kind === "heard") heard.push({ at, name: named(what) + (["speech", "quiet"].includes(what) ? ` ${level.trim()}` : ""), kind, why });
    if (kind === "gain" || kind === "pause" || kind === "decided" || kind === "would") decides.push({ at, name: kind === "decided" || kind === "would" ? named(what) : `${words(`did_${kind}`)} ${what}`, kind, why });
  }
  return [
    { name: words("lane_says"), spans: says, marks: [] },
    { name: words("lane_caller"), spans: [], marks: caller },
    { name: words("lane_heard"), spans: [], marks: heard },
    { name: words("lane_decides"), spans: [], marks: decides },
  ];
}

function queues({ stays, talks }, from, end, words) {
  return stays.map((stay) => {
    const to = stay.connect_ms ?? stay.left_ms ?? end;
    const spans = [{ from: from(stay.joined_ms), to: from(to), name: words("waiting"), kind: "wait" }];
    const own = talks.some((talk) => talk.queue === stay.queue); // the talk has a lane of its own
    if (stay.connect_ms && !own) spans.push({ from: from(stay.connect_ms), to: from(stay.talk_end_ms ?? end), name: `${words("talking")} ${stay.agent}`, kind: "talk" });
    return { name: words("lane_queue", { name: stay.queue }), spans, marks: [] };
  });
}

function phones({ legs }, from, end, words) {
  return legs.map((leg) => {
    const rang = { from: from(leg.ring_start_ms), to: from(leg.pickup_ms ?? leg.ended_ms ?? end), name: `${leg.rings ?? ""} ${words("rings")}`, kind: leg.answer_class ?? "ring" };
    const marks = leg.pickup_ms ? [{ at: from(leg.pickup_ms), name: words("answered"), kind: "pickup", why: leg.answer_class ? named(leg.answer_class) : "" }] : [];
    return { name: words("lane_phone", { name: leg.agent || leg.interface }), spans: leg.ring_start_ms ? [rang] : [], marks };
  });
}

function talks({ talks, holds }, from, end, words) {
  return talks.map((talk) => {
    const spans = [{ from: from(talk.began_ms), to: from(talk.ended_ms ?? end), name: words("talking"), kind: "talk" }];
    for (const hold of holds.filter((each) => each.talk_id === talk.talk_id)) {
      const to = hold.ended_ms ?? talk.ended_ms ?? end;
      const name = `${words(hold.held_by === "agent" ? "on_hold" : "held_by_caller")} ${duration(to - hold.began_ms)}`;
      spans.push({ from: from(hold.began_ms), to: from(to), name, kind: "hold" });
    }
    return { name: words("lane_talk", { name: talk.agent || "?" }), spans, marks: [] };
  });
}

function assistance({ assist_steps }, from, words) {
  const marks = assist_steps.map((step) => ({ at: from(step.at_ms), name: stepInWords(step), kind: "assist", why: step.why }));
  return [{ name: words("lane_assist"), spans: [], marks }];
}

function transfers({ transfers }, from, words) {
  const marks = transfers.map((each) => ({ at: from(each.at_ms), name: words(`transfer_${each.kind}`, { agent: each.agent || "?", target: each.target || "?" }), kind: "transfer", why: "" }));
  return [{ name: words("lane_transfers"), spans: [], marks }];
}

function wrapUps({ wrap_ups }, from, end, words) {
  return wrap_ups.map((each) => {
    const marks = [{ at: from(each.asked_ms), name: words("asks_wrap_up"), kind: "assist", why: "" }];
    const told = [words("wrap_up"), each.outcome && named(`close:${each.outcome}`), each.ended_by && words(`ended_by_${each.ended_by}`)].filter(Boolean).join(", ");
    const spans = each.began_ms ? [{ from: from(each.began_ms), to: from(each.ended_ms ?? end), name: told, kind: "wrap" }] : [];
    return { name: words("lane_wrap_up", { name: each.agent }), spans, marks: each.began_ms === each.asked_ms ? [] : marks };
  });
}

export function Picture({ drawn: { rows, length } }) {
  const words = useWords();
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
