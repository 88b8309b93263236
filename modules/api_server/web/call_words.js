// Small facts about a call that several views show: its status in one word, the pill that says so, the mark of a simulated one.

import { el } from "./dom.js";
import { text } from "./texts.js";

const GOOD = ["completed", "transferred", "voicemail"];
const NEUTRAL = ["busy", "no_answer", "declined", "canceled", "expired"];

export function status(call) {
  if (call.outcome) return call.outcome;
  if (call.state !== "queued") return call.state;
  if (call.last_outcome) return "retrying";
  return call.not_before && new Date(call.not_before) > new Date() ? "scheduled" : "queued";
}

export function kind(call) {
  if (!call.outcome) return call.state;
  if (GOOD.includes(call.outcome)) return "good";
  return NEUTRAL.includes(call.outcome) ? "neutral" : "bad";
}

export function pill(call) {
  const word = status(call);
  return el("span", { class: `pill ${kind(call)}`, "data-status": word, title: text(`status.${word}`) }, text(`status.${word}`));
}

export function phoneOf(call) {
  if (call.direction !== "inbound") return call.to_number;
  return el("span", { title: text("inbound_hint") }, "← ", call.from_number || text("hidden_number"), call.caller_name && ` (${call.caller_name})`);
}

export function simulatedMark(call) {
  return call.simulated ? el("span", { class: "mark", title: text("simulated_hint") }, text("simulated")) : null;
}
