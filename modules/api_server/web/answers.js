// What a call brought home: each answer its personality asked for, with the words that prove it, once they have been looked for.

import { el, show } from "./dom.js";
import { number, text } from "./texts.js";

export class Answers {
  #find;
  node = el("section", { class: "answers", "aria-label": text("answers"), "aria-live": "polite" });

  // `find` is given the index of the turn in which something was said, to show it.
  constructor(find) {
    this.#find = find;
  }

  draw(call) {
    const found = call.state === "ended" && call.extraction?.status ? call.extraction : null;
    this.node.hidden = !found;
    if (!found) return show(this.node);
    show(this.node, el("h2", {}, text("answers")), this.#of(found));
  }

  #of(found) {
    if (found.status === "waiting") return el("p", { class: "quiet" }, text("answers_waiting"));
    if (found.status !== "done") return el("p", { class: "problem", lang: "en" }, found.reason);
    const answers = Object.entries(found.answers);
    return el("dl", {}, ...answers.map(([name, answer]) => el("div", {}, el("dt", {}, name.replaceAll("_", " ")), this.#one(answer))));
  }

  #one(answer) {
    if (answer.value === null) return el("dd", { class: "quiet" }, text("no_answer"), " ", el("small", { lang: "en" }, answer.note));
    const source = el("button", { class: "plain", type: "button", title: text("show_turn"), onclick: () => this.#find(answer.turn) },
      el("q", {}, answer.quote));
    return el("dd", {}, el("b", {}, worded(answer.value)), answer.unit && ` ${answer.unit}`, source);
  }
}

function worded(value) {
  if (typeof value === "boolean") return text(value ? "yes" : "no");
  return typeof value === "number" ? number(value) : String(value);
}
