// How the daemon is: links, ear, database, events that wait, taps.
import { html } from "../html.js";
import { duration, whole } from "../format.js";
import { live, serverNow } from "../live.js";
import { Empty, Heading, Term } from "../parts.js";
import { useClock, useStore } from "../store.js";
import { useWords } from "../words.js";

export default function Health() {
  const words = useWords();
  const { state } = useStore(live);
  useClock();
  const health = state.health;
  if (!health) return html`<${Heading}>${words("health")}<//><${Empty} title=${words("no_live")} next=${words("next_step_live")} />`;
  const link = (up) => (up === null ? ["off", words("off")] : up ? ["good", words("connected")] : ["bad", words("lost")]);
  const failing = health.store.failing || health.store.dropped || health.store.lost;
  const waits = health.outbox && health.outbox.oldest_ms ? `, ${duration(serverNow() - health.outbox.oldest_ms)}` : "";
  const rows = [
    ["ami", ...link(health.ami)],
    ["mqtt", ...link(health.mqtt)],
    ["ear", health.ear_proven ? "good" : "warn", words(health.ear_proven ? "proven" : "unproven")],
    ["store", failing ? "bad" : "good", words(failing ? "failing" : "ok")],
    ["outbox", !health.outbox ? "off" : waits ? "warn" : "good", health.outbox ? whole(health.outbox.depth) + waits : words("off")],
    ["lag", health.loop_lag_ms > 200 ? "bad" : "good", `${health.loop_lag_ms} ms`],
    ["calls_now", "off", whole(health.calls)],
    ["taps", "off", whole(health.taps)],
    ["sessions", "off", whole(health.agi_sessions)],
    ["version", "off", health.version],
  ];
  return html`
    <${Heading}>${words("health")}<//>
    <dl class="health">${rows.map(([name, kind, text]) => html`<div class=${kind}><dt><${Term} id=${name}>${words(name)}<//></dt><dd>${text}</dd></div>`)}</dl>`;
}
