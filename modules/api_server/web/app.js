// The page's beginning: texts, then either the desk or the question for a key. Everything it shows comes from the public API.

import * as api from "./api.js";
import { Desk } from "./desk.js";
import { el, show } from "./dom.js";
import { loadTexts, text } from "./texts.js";

const page = document.getElementById("page");
const live = document.getElementById("live");
const signOut = document.getElementById("sign-out");
const AGAIN_MS = 3000;
let desk = null;

async function start() {
  await loadTexts();
  signOut.textContent = text("sign_out");
  signOut.addEventListener("click", async () => {
    await api.signOut().catch(() => {});
    askForKey();
  });
  try {
    await work();
  } catch (error) {
    if (error.status === 401 || error.status === 403) askForKey();
    else retryLater();
  }
}

async function work() {
  desk = new Desk(page, live, askForKey);
  await desk.start();
  signOut.hidden = false;
  page.setAttribute("aria-busy", "false");
}

function retryLater() {
  show(page, el("p", { class: "empty", role: "status" }, text("unreachable")));
  setTimeout(() => location.reload(), AGAIN_MS);
}

function askForKey() {
  desk?.leave();
  live.hidden = signOut.hidden = true;
  const key = el("input", { name: "key", type: "password", required: true, autocomplete: "current-password", spellcheck: "false" });
  const problem = el("p", { class: "problem", role: "alert" });
  const form = el("form", { class: "card sign-in" },
    el("h1", {}, "Voicefleet"), el("label", {}, text("key"), key), el("p", { class: "hint" }, text("key_hint")), problem,
    el("button", { type: "submit" }, text("sign_in")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await api.signIn(key.value);
      await work();
    } catch (error) {
      problem.textContent = error.message;
      key.select();
    }
  });
  show(page, form);
  page.className = "centred";
  page.setAttribute("aria-busy", "false");
  key.focus();
}

start();
