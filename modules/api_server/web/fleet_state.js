// How the fleet is: its parts as /health tells them, and each personality whose files are broken now, with place and mistake.

import * as api from "./api.js";
import { el, show } from "./dom.js";
import { text } from "./texts.js";

const AGAIN_MS = 5000;

export class FleetState {
  #summary = el("summary", { role: "status" });
  #parts = el("ul", { class: "parts" });
  #edits = el("div", { class: "edits" });
  #parted = el("details", { class: "state" }, this.#summary, this.#parts);
  #wasFine = true;
  node = el("section", { class: "fleet", "aria-label": text("fleet") }, this.#parted, this.#edits);

  start() {
    const look = () => document.hidden || this.look();
    const asking = setInterval(look, AGAIN_MS);
    document.addEventListener("visibilitychange", look);
    this.look();
    return () => {
      clearInterval(asking);
      document.removeEventListener("visibilitychange", look);
    };
  }

  async look() {
    const services = await api.health().catch(() => null);
    if (!services) return;
    const voices = services.personalities?.status === "up" ? [] : await api.personalities().catch(() => []);
    const parts = Object.entries(services);
    const fine = parts.every(([, part]) => part.status === "up");
    this.#summary.textContent = text(fine ? "fleet_fine" : "fleet_trouble");
    this.#parted.dataset.fine = fine;
    if (this.#wasFine && !fine) this.#parted.open = true;
    this.#wasFine = fine;
    show(this.#parts, ...parts.map(([name, part]) => partRow(name, part)));
    show(this.#edits, ...voices.filter((voice) => voice.problem).map(brokenEdit));
  }
}

function partRow(name, part) {
  return el("li", { "data-status": part.status },
    el("b", {}, name), " ", text(`part.${part.status}`), part.reason ? el("span", { class: "small" }, " ", part.reason) : null);
}

function brokenEdit(voice) {
  return el("div", { class: "notice", role: "status", "data-broken": voice.id },
    el("b", {}, text("broken_edit", { name: voice.name })),
    el("ul", {}, ...told(voice).map((line) => el("li", {}, line))),
    el("p", {}, text(voice.usable ? "last_good" : "never_good")));
}

function told(voice) {
  if (!voice.mistakes.length) return [voice.problem];
  return voice.mistakes.map((found) => {
    const file = found.file.split(/[\\/]/).slice(-2).join("/");
    return [`${file}, ${text("line_number", { n: found.line })}`, found.field, found.message].filter(Boolean).join(": ");
  });
}
