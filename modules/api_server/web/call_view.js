// One call: where it is, what both sides say while they say it, how it ended. Fed by the API first and by events afterwards.

import { Answers } from "./answers.js";
import { kind, phoneOf, pill, simulatedMark } from "./call_words.js";
import { el, show } from "./dom.js";
import { clock, decimal, text } from "./texts.js";

const STEPS = [["queued", "created_at"], ["placing", "placing_at"], ["ringing", "ringing_at"], ["in_progress", "answered_at"], ["ended", "ended_at"]];

export class CallView {
  #cancel;
  #call = null;
  #expected = null;
  #early = [];
  #turns = new Map();
  #head = el("header", {});
  #reason = el("p", { class: "reason" });
  #problem = el("p", { class: "problem", role: "alert" });
  #steps = el("ol", { class: "steps", "aria-label": text("progress") });
  #said = el("ol", { class: "said", role: "log", "aria-label": text("conversation"), tabindex: "0" });
  #facts = el("dl", { class: "facts" });
  #answers = new Answers((index) => this.#showTurn(index));
  node = el("article", { class: "call" }, this.#head, this.#reason, this.#problem, this.#steps,
    this.#answers.node, this.#said, this.#facts);

  constructor(cancel) {
    this.#cancel = cancel;
  }

  // Says which call is about to be read: what is heard of it meanwhile may be newer than the answer.
  expect(callId) {
    if (callId === this.#expected) return;
    this.#expected = callId;
    this.#early = [];
  }

  start(call, turns) {
    if (call.call_id !== this.#expected) return;
    if (call.call_id !== this.#call?.call_id) {
      this.#problem.textContent = "";
      this.#turns.clear();
      this.#call = call;
    } else if (call.version >= this.#call.version) this.#call = call;
    for (const turn of turns) this.#turns.set(turn.index, turn);
    this.#draw();
    this.#drawTurns();
    this.#early.splice(0).forEach((event) => this.hear(event));
  }

  hear(event) {
    if (event.call_id !== this.#expected) return;
    if (event.call_id !== this.#call?.call_id) {
      this.#early.push(event);
      return;
    }
    if (event.type === "call.turn") {
      this.#turns.set(event.data.index, event.data);
      this.#drawTurns();
      this.#drawFacts();
    } else if (event.data.state && event.data.version >= this.#call.version) {
      this.#call = { ...this.#call, ...event.data };
      this.#draw();
      this.#drawTurns();
    }
  }

  tick() {
    if (this.#call?.state === "in_progress") this.#drawFacts();
  }

  async #stop(button) {
    button.disabled = true;
    this.#problem.textContent = "";
    try {
      await this.#cancel(this.#call.call_id);
    } catch (error) {
      this.#problem.textContent = error.message;
      button.disabled = false;
    }
  }

  #draw() {
    const call = this.#call;
    const label = text(["ringing", "in_progress"].includes(call.state) ? "hang_up" : "cancel");
    const stop = el("button", { class: "stop", type: "button", onclick: (event) => this.#stop(event.target) }, label);
    show(this.#head,
      el("a", { class: "back", href: "#/" }, "← ", text("back")),
      el("h1", {}, phoneOf(call)),
      el("p", { class: "line" }, pill(call), simulatedMark(call), el("span", { class: "quiet" }, call.arm ? `${call.personality} → ${call.arm}` : call.personality), call.state !== "ended" && stop));
    this.#reason.textContent = [call.reason, call.next_step].filter(Boolean).join(" ");
    this.#reason.hidden = !this.#reason.textContent;
    this.#reason.className = `reason ${kind(call)}`;
    show(this.#steps, ...STEPS.map(([state, at]) => step(state, call[at], call.state === state)));
    this.#answers.draw(call);
    this.#drawFacts();
  }

  #showTurn(index) {
    this.#said.querySelector(`[data-turn="${Number(index)}"]`)?.focus();
  }

  #drawTurns() {
    const said = this.#said;
    const nearEnd = said.scrollHeight - said.scrollTop - said.clientHeight < 80;
    const sorted = [...this.#turns.values()].sort((a, b) => a.index - b.index);
    const nothing = el("li", { class: "empty" }, text(this.#call.state === "ended" ? "nothing_was_said" : "nothing_said"));
    show(said, ...(sorted.length ? sorted.map(spoken) : [nothing]));
    if (nearEnd) said.scrollTop = said.scrollHeight;
  }

  #drawFacts() {
    const call = this.#call;
    const dialled = call.dials ?? call.attempts.dialled;
    const rows = [["duration", talked(call)], ["median", median([...this.#turns.values()])],
      ["attempts", dialled > 1 ? text("times", { n: dialled }) : null], ["line", call.trunk], ["id", call.call_id]];
    show(this.#facts, ...rows.filter(([, value]) => value).map(([name, value]) => el("div", {}, el("dt", {}, text(name)), el("dd", {}, value))));
  }
}

function step(state, at, current) {
  return el("li", { class: at ? (current ? "now" : "done") : "todo", "aria-current": current ? "step" : null, "data-step": state },
    el("span", {}, text(`step.${state}`)), el("time", {}, at ? clock(at) : "–"));
}

function talked(call) {
  if (!call.answered_at) return null;
  return minutes((new Date(call.ended_at ?? Date.now()) - new Date(call.answered_at)) / 1000);
}

function median(turns) {
  const latencies = turns.map((turn) => turn.latency_ms).filter((ms) => typeof ms === "number").sort((a, b) => a - b);
  return latencies.length ? `${decimal(latencies[Math.floor(latencies.length / 2)] / 1000, 2)} s` : null;
}

function minutes(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function spoken(turn) {
  const notes = [minutes(turn.start_s)];
  if (typeof turn.latency_ms === "number") notes.push(text("answered_in", { s: decimal(turn.latency_ms / 1000, 2) }));
  if (turn.interrupted) notes.push(text("interrupted"));
  const side = turn.speaker === "agent" ? "agent" : "callee";
  return el("li", { class: `turn ${side}`, "data-turn": turn.index, tabindex: "-1" },
    el("span", { class: "who" }, text(side)), turn.keys ? pressed(turn.keys) : el("p", {}, turn.text), el("span", { class: "note" }, notes.join(" · ")));
}

function pressed(keys) {
  return el("p", { class: "keys" }, text("pressed"), ...[...keys].flatMap((key) => [" ", el("kbd", {}, key)]));
}
