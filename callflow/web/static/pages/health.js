// How the daemon is: links, ear, database, events that wait, taps.
import { html } from "../html.js";
import { duration, whole } from "../format.js";
import { live, serverNow } from "../live.js";
import { Empty, Heading } from "../parts.js";
import { useClock, useStore } from "../store.js";
import { useWords } from "../words.js";

export default function Health() {
  const words = useWords();
  const { state } = useStore(live);
  useClock();
  const health = state.health;
  if (!health) return html`<${Heading}>${words("health")}<//><${Empty} title=${words("no_live")} next="" />`;
  const link = (up) => (up === null ? ["off", words("off")] : up ? ["good", words("connected")] : ["bad", words("lost")]);
  const failing = health.store.failing || health.store.dropped || health.store.lost;
  const waits = health.outbox && health.outbox.oldest_ms ? `, ${duration(serverNow() - health.outbox.oldest_ms)}` : "";
  const rows = [
    [words("ami"), ...link(health.ami)],
    [words("mqtt"), ...link(health.mqtt)],
    [words("ear"), health.ear_proven ? "good" : "warn", words(health.ear_proven ? "proven" : "unproven")],
    [words("store"), failing ? "bad" : "good", words(failing ? "failing" : "ok")],
    [words("outbox"), !health.outbox ? "off" : waits ? "warn" : "good", health.outbox ? whole(health.outbox.depth) + waits : words("off")],
    [words("lag"), health.loop_lag_ms > 200 ? "bad" : "good", `${health.loop_lag_ms} ms`],
    [words("calls_now"), "off", whole(health.calls)],
    [words("taps"), "off", whole(health.taps)],
    [words("sessions"), "off", whole(health.agi_sessions)],
    [words("version"), "off", health.version],
  ];
  return html`
    <${Heading}>${words("health")}<//>
    <dl class="health">${rows.map(([name, kind, text]) => html`<div class=${kind}><dt>${name}</dt><dd>${text}</dd></div>`)}</dl>`;
}
