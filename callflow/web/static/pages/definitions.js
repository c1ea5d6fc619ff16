// What each number means; the full rules are in the documentation.
import { useEffect } from "preact/hooks";
import { html } from "../html.js";
import { MEANINGS } from "../meanings.js";
import { Heading } from "../parts.js";
import { language, useWords } from "../words.js";

export default function Definitions({ rest: [id] }) {
  const words = useWords();
  useEffect(() => {
    if (id) document.getElementById(`meaning-${id}`)?.scrollIntoView({ block: "center" });
  }, [id]);
  return html`
    <${Heading}>${words("definitions")}<//>
    <dl class="meanings">
      ${Object.entries(MEANINGS).map(([name, [word, english, chinese]]) => html`
        <div id=${`meaning-${name}`} class=${name === id ? "chosen" : ""}><dt>${words(word)}</dt><dd>${language.value === "zh" ? chinese : english}</dd></div>`)}
    </dl>`;
}
