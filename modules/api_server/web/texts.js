// The page's words, in the browser's language where there is a catalogue for it. A missing word shows its own key.

const LANGUAGES = ["en", "de"];
let words = {};

export const language = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => LANGUAGES.includes(tag)) ?? "en";

// Numbers and times as this person's own region writes them.
const region = navigator.languages.find((tag) => tag.startsWith(language)) ?? language;

export async function loadTexts() {
  words = await (await fetch(`/web/texts/${language}.json`)).json();
  document.documentElement.lang = language;
}

export function text(key, values = {}) {
  return Object.entries(values).reduce((found, [name, value]) => found.replace(`{${name}}`, value), words[key] ?? key);
}

export function decimal(value, digits) {
  return value.toLocaleString(region, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function number(value) {
  return value.toLocaleString(region, { maximumFractionDigits: 10 });
}

export function clock(iso) {
  return new Date(iso).toLocaleTimeString(region, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

export function day(iso) {
  const moment = new Date(iso);
  const today = moment.toDateString() === new Date().toDateString();
  return moment.toLocaleString(region, today ? { timeStyle: "short" } : { dateStyle: "short", timeStyle: "short" });
}
