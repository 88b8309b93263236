// Where the work is done: the form, the list, the chosen call, kept up to date by one event stream. The address says which call.

import * as api from "./api.js";
import { CallList } from "./call_list.js";
import { CallView } from "./call_view.js";
import { el, show } from "./dom.js";
import { FleetState } from "./fleet_state.js";
import { follow } from "./live.js";
import { newCallForm } from "./new_call.js";
import { text } from "./texts.js";

export class Desk {
  #page;
  #live;
  #signedOut;
  #calls = new Map();
  #cursor = null;
  #view = new CallView(api.cancel);
  #list = new CallList(() => this.#more());
  #state = new FleetState();
  #detail = el("div", { class: "detail" });
  #endings = [];

  constructor(page, live, signedOut) {
    this.#page = page;
    this.#live = live;
    this.#signedOut = signedOut;
  }

  async start() {
    const form = await newCallForm((made) => this.#placed(made));
    await this.#more();
    const side = el("div", { class: "side" },
      this.#state.node, el("h2", {}, text("new_call")), form, el("h2", {}, text("calls")), this.#list.node);
    this.#page.className = "work";
    show(this.#page, side, this.#detail);
    await this.#open();
    const opened = () => this.#open();
    window.addEventListener("hashchange", opened);
    const ticking = setInterval(() => this.#view.tick(), 1000);
    const unfollow = follow((event) => this.#hear(event), (yes) => this.#connected(yes), () => this.#refused());
    this.#endings = [unfollow, this.#state.start(), () => clearInterval(ticking), () => window.removeEventListener("hashchange", opened)];
  }

  leave() {
    for (const ending of this.#endings.splice(0)) ending();
  }

  get #chosen() {
    return decodeURIComponent(location.hash.match(/^#\/calls\/(.+)$/)?.[1] ?? "");
  }

  #draw() {
    this.#list.update(this.#calls, this.#chosen, this.#cursor !== null);
  }

  #keep(call) {
    const known = this.#calls.get(call.call_id);
    if (!known || call.version >= known.version) this.#calls.set(call.call_id, { ...known, ...call });
  }

  #placed(made) {
    this.#keep(made);
    location.hash = `#/calls/${encodeURIComponent(made.call_id)}`;
  }

  async #more() {
    const found = await api.calls(this.#cursor);
    this.#cursor = found.next_cursor;
    found.calls.forEach((call) => this.#keep(call));
    this.#draw();
  }

  async #open() {
    const id = this.#chosen;
    this.#page.dataset.open = id ? "call" : "list";
    this.#draw();
    if (!id) return show(this.#detail, el("p", { class: "empty" }, text("choose")));
    try {
      return await this.#read(id);
    } catch (error) {
      return show(this.#detail, el("p", { class: "empty" }, error.status === 404 ? text("gone") : error.message));
    }
  }

  async #read(id) {
    this.#view.expect(id);
    const [call, turns] = await Promise.all([api.call(id), api.transcript(id)]);
    this.#keep(call);
    if (id !== this.#chosen) return;
    this.#view.start(call, turns);
    show(this.#detail, this.#view.node);
    this.#draw();
  }

  async #hear(event) {
    this.#view.hear(event);
    if (event.data.state) {
      this.#keep(event.data);
      this.#draw();
    }
    // What was said last may be written after the end.
    if (event.type === "call.ended" && event.call_id === this.#chosen) await this.#read(event.call_id).catch(() => {});
  }

  async #connected(yes) {
    this.#live.hidden = false;
    this.#live.className = yes ? "live on" : "live";
    this.#live.textContent = text(yes ? "live" : "reconnecting");
    if (!yes) return;
    // What happened while nobody listened.
    const found = await api.calls().catch(() => ({ calls: [] }));
    found.calls.forEach((call) => this.#keep(call));
    await this.#open();
  }

  async #refused() {
    const error = await api.trunks().then(() => null, (found) => found);
    if (error?.status === 401) this.#signedOut();
    return error?.status === 401;
  }
}
