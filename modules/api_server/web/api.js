// The public API, as the page uses it: the cookie goes along by itself. A refused request throws Problem with our own words.

export class Problem extends Error {
  constructor(status, body) {
    super(body.errors?.[0]?.message ?? body.detail ?? String(status));
    this.status = status;
    this.code = body.code;
  }
}

async function ask(method, path, options = {}) {
  const answer = await fetch(path, { method, ...options });
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, body);
  return body;
}

function json(body) {
  return { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

export const signIn = (key) => ask("POST", "/sign-in", { body: new URLSearchParams({ key }) });
export const signOut = () => ask("POST", "/sign-out");
export const personalities = async () => (await ask("GET", "/v1/personalities")).personalities;
export const health = async () => (await (await fetch("/health")).json()).services;
export const trunks = async () => (await ask("GET", "/v1/trunks")).trunks;
export const calls = (cursor) => ask("GET", `/v1/calls?limit=50${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
export const call = (id) => ask("GET", `/v1/calls/${encodeURIComponent(id)}`);
export const transcript = async (id) => (await ask("GET", `/v1/calls/${encodeURIComponent(id)}/transcript`)).turns;
export const cancel = (id) => ask("POST", `/v1/calls/${encodeURIComponent(id)}/cancel`, json({}));

export function place(body) {
  const options = json(body);
  options.headers["Idempotency-Key"] = crypto.randomUUID?.() ?? `page-${Date.now()}-${Math.random()}`;
  return ask("POST", "/v1/calls", options);
}
