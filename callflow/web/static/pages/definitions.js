// What each number means; the full rules are in the documentation.
import { useEffect } from "preact/hooks";
import { html } from "../html.js";
import { Heading } from "../parts.js";
import { language, useWords } from "../words.js";

const MEANINGS = {
  waiting: { en: "Callers in the queue who are not connected to an agent yet.", zh: "在队列中、尚未接通座席的来电。" },
  rung: { en: "The step of the ladder the caller is on: a prompt, a time to listen, and what follows.", zh: "来电所在的步骤：一句提示、一段倾听时间及其后的动作。" },
  heard: { en: "What the ear found in the last stretch it judged: speech, quiet, noise, a tone, or nothing.", zh: "最近一段声音的判断：说话、声音过低、噪声、信号音或没有声音。" },
  answered: { en: "Offers that somebody picked up, measured from stamped events. Uncertain and excluded ones are left out.", zh: "有人接听、且由时间戳事件测得的振铃；不确定和不计的除外。" },
  within_three: { en: "Share of answered offers that were not late: picked up before three full ring cycles had passed.", zh: "三个完整铃声周期之内接听的比例。" },
  early: { en: "Picked up before the first ring had ended.", zh: "第一声铃响未结束就接听。" },
  acceptable: { en: "Picked up within three rings, but neither early nor ideal.", zh: "三声之内接听，但既不过早也非最佳。" },
  ideal: { en: "Picked up after the second ring had ended and before the third began.", zh: "第二声结束之后、第三声开始之前接听。" },
  late: { en: "Picked up after three full ring cycles.", zh: "三个完整铃声周期之后才接听。" },
  screened: { en: "Callers in profiles with mode = act that callflow listened to.", zh: "执行模式下 callflow 听过的来电。" },
  silent: { en: "Nobody was heard to the end of the ladder; the call was ended after the goodbye and a pause.", zh: "到步骤结束也没有听到声音；告别并停顿后结束通话。" },
  quiet: { en: "A voice was there, and too low to understand to the end of the quiet ladder.", zh: "有人说话，但到步骤结束仍听不清。" },
  rescued: { en: "Heard in the last prompt or in the pause after it, so not hung up on.", zh: "在最后一句提示或其后的停顿中听到声音，因此没有挂断。" },
  false_hang_up: { en: "Observe mode only: the caller would have been hung up on, and was heard afterwards.", zh: "仅观察模式：本会被挂断，随后却听到声音。" },
};

export default function Definitions({ rest: [id] }) {
  const words = useWords();
  useEffect(() => {
    if (id) document.getElementById(`meaning-${id}`)?.scrollIntoView({ block: "center" });
  }, [id]);
  return html`
    <${Heading}>${words("definitions")}<//>
    <dl class="meanings">
      ${Object.entries(MEANINGS).map(([name, text]) => html`
        <div id=${`meaning-${name}`} class=${name === id ? "chosen" : ""}><dt>${words(name === "false_hang_up" ? "false" : name)}</dt><dd>${text[language.value]}</dd></div>`)}
    </dl>`;
}
