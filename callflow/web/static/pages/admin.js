// For administrators: tokens, the audit trail, and the settings in force.
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { ask } from "../api.js";
import { moment } from "../format.js";
import { Asked, Empty, Heading, Table, useAsked } from "../parts.js";
import { useWords } from "../words.js";

const ROLES = ["agent", "viewer", "supervisor", "admin"];

export default function Admin() {
  const words = useWords();
  return html`
    <${Heading}>${words("admin")}<//>
    <${Tokens} />
    <${Trail} />
    <${Settings} />`;
}

function Tokens() {
  const words = useWords();
  const found = useAsked("tokens", () => ask("admin/tokens"));
  const [made, tell] = useState(null);
  const [problem, refuse] = useState(null);
  const reload = found[2];
  const revoke = async (token) => {
    if (!confirm(words("revoke_sure", token))) return;
    refuse(null);
    await ask(`admin/tokens/${encodeURIComponent(token.id)}`, { method: "DELETE" }).catch(refuse);
    reload();
  };
  const columns = [
    { head: words("name"), cell: (row) => html`<bdi class="name">${row.name}</bdi>` },
    { head: words("role"), cell: (row) => words(`role_${row.role}`) },
    { head: words("limited_to"), cell: (row) => html`<span class="name">${[...row.queues, row.agent].filter(Boolean).join(", ") || "–"}</span>` },
    { head: words("created"), cell: (row) => html`<time>${moment(row.created_ms)}</time>` },
    { head: words("expires"), cell: (row) => (row.expires_ms === null ? words("never") : html`<time>${moment(row.expires_ms)}</time>`) },
    { head: words("id"), cell: (row) => html`<code class="name">${row.id}</code>` },
    { head: html`<span class="hidden">${words("revoke")}</span>`, cell: (row) => html`<button onClick=${() => revoke(row)} aria-label=${`${words("revoke")} ${row.name}`}>${words("revoke")}</button>` },
  ];
  return html`
    <section><h2>${words("tokens")}</h2>
      <${NewToken} done=${(answer) => { tell(answer); reload(); }} />
      ${made && html`<p class="made" role="status">${words("secret_once", made.token)} <code>${made.secret}</code></p>`}
      ${problem && html`<p class="problem" role="alert">${problem.message}. ${problem.remedy}</p>`}
      <${Asked} of=${found}>${(tokens) => html`<${Table} caption=${words("tokens")} hidden columns=${columns} rows=${tokens.map((each) => ({ ...each, key: each.id }))} />`}<//>
    </section>`;
}

function NewToken({ done }) {
  const words = useWords();
  const [role, choose] = useState("viewer");
  const [problem, tell] = useState(null);
  const send = async (event) => {
    event.preventDefault();
    const given = new FormData(event.target);
    const form = event.target;
    const queues = given.get("queues").split(",").map((name) => name.trim()).filter(Boolean);
    try {
      done(await ask("admin/tokens", { method: "POST", body: { name: given.get("name").trim(), role, days: Number(given.get("days")), queues, agent: role === "agent" ? given.get("agent").trim() : "" } }));
      form.reset();
      tell(null);
    } catch (error) {
      tell(error);
    }
  };
  return html`
    <form class="choices" onSubmit=${send}>
      <label>${words("name")} <input name="name" required maxlength="64" /></label>
      <label>${words("role")} <select value=${role} onChange=${(event) => choose(event.target.value)}>${ROLES.map((each) => html`<option value=${each} selected=${each === role}>${words(`role_${each}`)}</option>`)}</select></label>
      <label>${words("days_valid")} <input name="days" type="number" min="0" max="3650" value="90" required /></label>
      <label>${words("only_queues")} <input name="queues" /></label>
      ${role === "agent" && html`<label>${words("work_number")} <input name="agent" required maxlength="64" /></label>`}
      <button>${words("create_token")}</button>
      ${problem && html`<p class="problem" role="alert">${problem.message}. ${problem.remedy}</p>`}
    </form>`;
}

function Trail() {
  const words = useWords();
  const found = useAsked("audit", () => ask("admin/audit"));
  return html`<section><h2>${words("audit")}</h2><${Asked} of=${found}>${(first) => html`<${Entries} first=${first} />`}<//></section>`;
}

function Entries({ first }) {
  const words = useWords();
  const [pages, add] = useState([]);
  const all = [first, ...pages];
  const rows = all.flatMap((page) => page.entries).map((entry, n) => ({ ...entry, key: n }));
  const next = all.at(-1).next;
  if (!rows.length) return html`<${Empty} title=${words("no_audit")} next=${words("next_step_audit")} />`;
  const columns = [
    { head: words("when"), cell: (row) => html`<time>${moment(row.at_ms)}</time>` },
    { head: words("who"), cell: (row) => html`<bdi class="name">${row.who}</bdi>` },
    { head: words("role"), cell: (row) => row.role },
    { head: words("action"), cell: (row) => html`<span class="name">${row.action}</span>` },
    { head: words("what"), cell: (row) => html`<bdi class="name">${Object.entries(row.what).map(([name, value]) => `${name}: ${value}`).join(", ")}</bdi>` },
  ];
  const more = async () => add([...pages, await ask(`admin/audit?before=${next}`)]);
  return html`
    <${Table} caption=${words("audit")} hidden columns=${columns} rows=${rows} />
    ${next && html`<button onClick=${more}>${words("older")}</button>`}`;
}

function Settings() {
  const words = useWords();
  const found = useAsked("settings", () => ask("admin/settings"));
  const columns = [
    { head: words("setting"), cell: (row) => html`<code class="name">${row.name}</code>` },
    { head: words("value"), cell: (row) => html`<code class="name">${row.value !== row.default ? html`<b>${row.value}</b>` : row.value}</code>` },
    { head: words("default"), cell: (row) => html`<code class="name">${row.default}</code>` },
    { head: words("meaning"), cell: (row) => html`<span class="name">${row.meaning}</span>` },
  ];
  return html`
    <section><h2>${words("settings")}</h2><p class="hint">${words("settings_help")}</p>
      <${Asked} of=${found}>${(rows) => html`<details><summary>${words("show_settings")}</summary><${Table} caption=${words("settings")} hidden columns=${columns} rows=${rows.map((row) => ({ ...row, key: row.name }))} /></details>`}<//>
    </section>`;
}
