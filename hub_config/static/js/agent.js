// A person's agent: it is asked directly, with a token that the portal gives out and
// that opens it alone. What it sends never goes through the portal.
import { call } from "./api.js";

// Not there yet, not reached yet, and what JupyterHub says of a server that starts.
const UNDER_WAY = new Set([424, 502, 503, 504]);

// While it starts, the hub answers in its place.
export class Starting extends Error {}

// What the agent itself refuses: `code`, and what else it says.
export class Refused extends Error {
  constructor(status, said) {
    super([said.message, said.hint].filter(Boolean).join(" "));
    Object.assign(this, { status, code: said.error, said });
  }
}

export class Agent {
  // `portal` is where it is started; `words` are sentences: starting, broken.
  constructor(portal, words) {
    this.portal = portal;
    this.words = words;
    this.way = null;
  }

  // Return where a path of the agent's is, and the token that opens it.
  async address(path) {
    const way = await this.known();
    const site = new URL(document.documentElement.dataset.base, location.origin);
    const url = new URL(path, new URL(way.url.replace(/\/*$/, "/"), site));
    return { url, token: way.token };
  }

  // Return the answer, whatever its status; Starting, or an Error that says why not.
  // A body is sent as JSON, `raw` as it is.
  async fetch(path, { method = "GET", body, raw, signal, headers: more, accept = "application/json" } = {}) {
    const { url: address, token } = await this.address(path);
    const headers = { ...more, Authorization: `Bearer ${token}`, Accept: accept };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const answer = await fetch(address, {
      method,
      headers,
      body: body === undefined ? raw : JSON.stringify(body),
      cache: "no-store",
      redirect: "manual",
      signal,
    }).catch((error) => {
      this.way = null;
      throw signal?.aborted ? error : new Error(this.words.broken);
    });
    const isJson = answer.headers.get("Content-Type")?.includes("json");
    if (answer.ok) return answer;
    const said = isJson ? await answer.json().catch(() => ({})) : {};
    if (said.error) throw new Refused(answer.status, said);
    // What is not read to its end keeps a connection, and a browser has but six.
    await answer.body?.cancel().catch(() => {});
    this.way = null;
    const isUnderWay = UNDER_WAY.has(answer.status) || answer.type === "opaqueredirect";
    if (isUnderWay || answer.status === 404) throw new Starting(this.words.starting);
    throw new Error(this.words.broken);
  }

  async json(path, options) {
    return (await this.fetch(path, options)).json();
  }

  // The portal starts it when it does not run; its token is asked for anew in time.
  async known() {
    if (!this.way || Date.now() > this.way.until) {
      const way = await call("POST", this.portal, {});
      this.way = { ...way, until: Date.now() + ((way.lifetime_s ?? 60) * 1000) / 2 };
    }
    return this.way;
  }
}

// The events of a stream, until it ends.
export async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const whole = (rest + value).split("\n\n");
    rest = whole.pop();
    for (const text of whole) {
      const lines = text.split("\n");
      const name = lines.find((line) => line.startsWith("event: "))?.slice(7);
      const data = lines.find((line) => line.startsWith("data: "))?.slice(6);
      if (name && data) yield { name, data: JSON.parse(data) };
    }
  }
}

export function wait(ms, signal) {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      done();
    });
  });
}
