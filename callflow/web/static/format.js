// Numbers, moments and durations as people read them.
import { language } from "./words.js";

export function duration(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const h = Math.floor(s / 3600);
  const parts = [Math.floor((s % 3600) / 60), s % 60].map((n) => String(n).padStart(2, "0"));
  return h ? `${h}:${parts.join(":")}` : `${Number(parts[0])}:${parts[1]}`;
}

export const seconds = (ms) => (ms / 1000).toFixed(ms < 10000 ? 2 : 1);

export function moment(ms, withMs = false) {
  const at = new Date(ms);
  const shown = at.toLocaleString(language.value, { dateStyle: "short", timeStyle: "medium", hourCycle: "h23" });
  return withMs ? `${shown}.${String(at.getMilliseconds()).padStart(3, "0")}` : shown;
}

export const day = (ms) => new Date(ms).toLocaleDateString(language.value, { month: "short", day: "numeric" });

export const percent = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(1)} %` : "–");

// A name that a caller or another system has chosen may be of any length.
export const short = (text) => ([...text].length > 200 ? `${[...text].slice(0, 200).join("")}…` : text);

export const whole = (n) => Number(n).toLocaleString(language.value);

export const pad = (date) => {
  const two = (n) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
};
