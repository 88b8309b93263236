// The form that places a call: a number, a personality, and, where there are several, a line.

import * as api from "./api.js";
import { el, show } from "./dom.js";
import { text } from "./texts.js";

export async function newCallForm(placed) {
  const [voices, lines] = await Promise.all([api.personalities(), api.trunks()]);
  const usable = voices.filter((voice) => voice.usable);
  if (!lines.length) return el("p", { class: "notice" }, text("no_trunk"));
  if (!usable.length) return el("p", { class: "notice" }, text("no_personality"));

  const number = el("input", { name: "to_number", type: "tel", required: true, autocomplete: "off", placeholder: "+12025550100" });
  const voice = el("select", { name: "personality" }, ...usable.map((found) => option(found.id, found.name, found.default)));
  const line = el("select", { name: "trunk" }, ...lines.map((found) => option(found.name, found.name, found.default)));
  const hint = el("p", { class: "hint" });
  const problem = el("p", { class: "problem", role: "alert" });
  const button = el("button", { type: "submit" }, text("place"));

  function sayWhichLine() {
    const chosen = lines.find((found) => found.name === line.value);
    show(hint, document.createTextNode(text(chosen.simulated ? "simulated_hint" : "real_hint")));
  }

  async function submit(event) {
    event.preventDefault();
    problem.textContent = "";
    button.disabled = true;
    button.textContent = text("placing_now");
    try {
      const made = await api.place({ to_number: number.value, personality: voice.value, trunk: line.value });
      number.value = "";
      placed(made);
    } catch (error) {
      problem.textContent = error.message;
      number.focus();
    } finally {
      button.disabled = false;
      button.textContent = text("place");
    }
  }

  line.addEventListener("change", sayWhichLine);
  sayWhichLine();
  return el("form", { class: "card", onsubmit: submit, "aria-label": text("new_call") },
    el("label", {}, text("number"), number),
    el("label", {}, text("personality"), voice),
    lines.length > 1 ? el("label", {}, text("trunk"), line) : null,
    hint, problem, button);
}

function option(value, shown, selected) {
  return el("option", { value, selected }, shown);
}
