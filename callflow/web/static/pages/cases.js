// Open cases: whose news is due, what the caller was told, and the steps that a supervisor takes.
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { ask, me } from "../api.js";
import { duration, moment, whole } from "../format.js";
import { serverNow } from "../live.js";
import { Asked, CallerNumber, Empty, Failed, Heading, Table, Term, useAsked } from "../parts.js";
import { useClock, useStore } from "../store.js";
import { useWords } from "../words.js";

const KINDS = ["general", "installation"];

export default function Cases({ rest: [reference] }) {
  return reference ? html`<${One} reference=${reference} />` : html`<${All} />`;
}

function All() {
  const words = useWords();
  const visitor = useStore(me);
  const found = useAsked("cases", () => ask("cases"));
  return html`
    <${Heading}>${words("open_cases")}<//>
    ${visitor.may_change && visitor.role !== "agent" && html`<${NewCase} done=${found[2]} />`}
    <${Asked} of=${found}>${(rows) => html`<${List} rows=${rows} />`}<//>`;
}

const Due = ({ row }) => {
  const words = useWords();
  useClock();
  if (row.closed_ms) return html`–`;
  const left = row.news_due_ms - serverNow();
  return left > 0 ? html`${duration(left)}` : html`<b class="bad">${words("overdue_by", { age: duration(-left) })}</b>`;
};

function List({ rows }) {
  const words = useWords();
  if (!rows.length) return html`<${Empty} title=${words("no_cases")} next=${words("next_step_cases")} />`;
  const overdue = rows.filter((row) => row.overdue).length;
  const columns = [
    { head: words("reference"), cell: (row) => html`<a class="name" href=${`#/cases/${encodeURIComponent(row.reference)}`}><bdi>${row.reference}</bdi></a>` },
    { head: html`<${Term} id="news_due">${words("news_due")}<//>`, right: true, cell: (row) => html`<${Due} row=${row} />` },
    { head: words("last_news"), cell: (row) => html`<bdi class="name">${row.news || words("nothing_told")}</bdi>` },
    { head: words("case_kind"), cell: (row) => words(`kind_${row.kind}`) },
    { head: words("caller"), cell: (row) => html`<span class="name">${row.number || "–"}</span>` },
    { head: words("opened"), cell: (row) => html`<time>${moment(row.opened_ms)}</time>` },
  ];
  return html`
    <p class="counts">
      <span><${Term} id="open_cases">${words("open_cases")}<//> <b>${whole(rows.length)}</b></span>
      <span class=${overdue ? "bad" : ""}><${Term} id="overdue_cases">${words("overdue_cases")}<//> <b>${whole(overdue)}</b></span>
    </p>
    <${Table} caption=${words("open_cases")} hidden columns=${columns} rows=${rows.map((row) => ({ ...row, key: row.reference }))} />`;
}

function NewCase({ done }) {
  const words = useWords();
  const [problem, tell] = useState(null);
  const send = async (event) => {
    event.preventDefault();
    const form = event.target;
    const given = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));
    try {
      await ask("cases", { method: "POST", body: given });
      form.reset();
      tell(null);
      done();
    } catch (error) {
      tell(error);
    }
  };
  return html`
    <details><summary>${words("new_case")}</summary>
      <form class="choices" onSubmit=${send}>
        <label>${words("reference")} <input name="reference" required maxlength="64" /></label>
        <label>${words("case_number")} <input name="number" inputmode="tel" maxlength="40" /></label>
        <label>${words("case_kind")} <select name="kind">${KINDS.map((each) => html`<option value=${each}>${words(`kind_${each}`)}</option>`)}</select></label>
        <label>${words("profile")} <input name="profile" value="default" required pattern="[A-Za-z0-9_\\-]+" maxlength="64" /></label>
        <button>${words("open_case")}</button>
      </form>
      <${Failed} problem=${problem} />
    </details>`;
}

function One({ reference }) {
  const words = useWords();
  const path = `cases/one?${new URLSearchParams({ reference })}`;
  const found = useAsked(path, () => ask(path));
  return html`
    <p><a href="#/cases">${words("back")}</a></p>
    <${Heading}>${words("one_case")}<//>
    <${Asked} of=${found}>${(detail) => html`<${Detail} detail=${detail} path=${path} reload=${found[2]} />`}<//>`;
}

function Detail({ detail, path, reload }) {
  const words = useWords();
  const unmask = async () => (await ask(`${path}&unmask=true`)).number;
  const steps = [
    { head: words("when"), cell: (row) => html`<time>${moment(row.at_ms)}</time>` },
    { head: words("what"), cell: (row) => words(`step_${row.step}`) },
    { head: words("who"), cell: (row) => html`<bdi class="name">${row.actor}</bdi>` },
    { head: words("last_news"), cell: (row) => html`<bdi class="name">${row.news || words("nothing_told")}</bdi>` },
  ];
  return html`
    <dl class="figures">
      <div><dt>${words("reference")}</dt><dd class="name"><bdi>${detail.reference}</bdi></dd></div>
      <div><dt>${words("number")}</dt><dd class="name"><${CallerNumber} number=${detail.number} may=${detail.may_unmask} unmask=${unmask} /></dd></div>
      <div><dt>${words("case_kind")}</dt><dd>${words(`kind_${detail.kind}`)}</dd></div>
      <div><dt>${words("opened")}</dt><dd><time>${moment(detail.opened_ms)}</time></dd></div>
      ${detail.closed_ms
        ? html`<div><dt>${words("closed")}</dt><dd><time>${moment(detail.closed_ms)}</time></dd></div>`
        : html`<div><dt><${Term} id="news_due">${words("news_due")}<//></dt><dd><${Due} row=${detail} /></dd></div>`}
    </dl>
    ${detail.may.length > 0 && html`<${Steps} reference=${detail.reference} reload=${reload} />`}
    <h2>${words("steps")}</h2>
    <${Table} caption=${words("steps")} hidden columns=${steps} rows=${detail.changes.map((row) => ({ ...row, key: row.revision }))} />`;
}

function Steps({ reference, reload }) {
  const words = useWords();
  const [problem, tell] = useState(null);
  const [news, write] = useState("");
  const take = async (step) => {
    try {
      await ask("cases", { method: "PUT", body: { reference, step, news: news.trim() } });
      write("");
      tell(null);
      reload();
    } catch (error) {
      tell(error);
      if (error.status === 409) reload();
    }
  };
  const send = (event) => {
    event.preventDefault();
    take("news");
  };
  return html`
    <form class="choices" onSubmit=${send}>
      <label>${words("news_help")} <input value=${news} maxlength="500" required onInput=${(event) => write(event.target.value)} /></label>
      <button>${words("tell_news")}</button>
      <button type="button" onClick=${() => confirm(words("close_sure", { reference })) && take("close")}>${words("close_case")}</button>
    </form>
    <${Failed} problem=${problem} />`;
}
