// The list of calls, newest first. Each is a link, so the keyboard and the browser's own history work.

import { phoneOf, pill, simulatedMark } from "./call_words.js";
import { el, show } from "./dom.js";
import { day, text } from "./texts.js";

export class CallList {
  #list = el("ul", { class: "calls" });
  #empty = el("div", { class: "empty" }, el("p", {}, text("no_calls")), el("code", {}, "./voicefleet call +12025550100 --watch"));
  #more;

  constructor(older) {
    this.#more = el("button", { class: "plain", type: "button", hidden: true, onclick: older }, text("older"));
    this.node = el("section", { "aria-label": text("calls") }, this.#empty, this.#list, this.#more);
  }

  update(calls, selected, hasMore) {
    const sorted = [...calls.values()].sort((a, b) => b.created_at.localeCompare(a.created_at) || b.call_id.localeCompare(a.call_id));
    const focused = document.activeElement?.dataset?.call;
    show(this.#list, ...sorted.map((call) => el("li", {}, row(call, selected))));
    if (focused) this.#list.querySelector(`[data-call="${CSS.escape(focused)}"]`)?.focus();
    this.#more.hidden = !hasMore;
    this.#empty.hidden = sorted.length > 0;
  }
}

function row(call, selected) {
  const attributes = { href: `#/calls/${encodeURIComponent(call.call_id)}`, "data-call": call.call_id };
  if (call.call_id === selected) attributes["aria-current"] = "true";
  return el("a", attributes,
    el("span", { class: "line" }, el("b", {}, phoneOf(call)), pill(call)),
    el("span", { class: "line small" }, el("span", {}, call.personality, " ", simulatedMark(call) ?? ""), el("time", {}, day(call.created_at))));
}
