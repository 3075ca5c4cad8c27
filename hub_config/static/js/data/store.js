// The store's own door for files on their way in. What is sent there does not go through
// the portal; the ticket says who may send what.
const UNDER_WAY = new Set([0, 502, 503, 504]);

// The network, the proxy or the store is away: it is tried again.
export class Lost extends Error {}

// What the store itself refuses: `code`, and what else it says.
export class Refused extends Error {
  constructor(status, said) {
    super([said.message, said.hint].filter(Boolean).join(" "));
    Object.assign(this, { status, code: said.error, said });
  }
}

export class Store {
  // `fresh` asks the portal for the upload again, with a new ticket.
  constructor(upload, fresh) {
    this.base = address(upload.url);
    this.ticket = upload.ticket;
    this.fresh = fresh;
  }

  state() {
    return this.ask("GET", "");
  }

  async known(files) {
    const body = { files: files.map(({ path, size }) => ({ path, size })) };
    const blob = new Blob([JSON.stringify(body)], { type: "application/json" });
    return (await this.ask("POST", "/known", { body: blob })).known;
  }

  pack(body, about) {
    return this.ask("PUT", "/pack", { body, ...about });
  }

  file({ path, size }, offset, body, about) {
    const query = new URLSearchParams({ path, size, offset });
    return this.ask("PUT", `/file?${query}`, { body, ...about });
  }

  async ask(method, path, about = {}) {
    try {
      return await this.once(method, path, about);
    } catch (error) {
      if (error.code !== "bad-ticket") throw error;
      this.ticket = (await this.fresh()).ticket;
      return this.once(method, path, about);
    }
  }

  // XMLHttpRequest, for fetch does not tell how much of a body has left.
  once(method, path, { body, signal, tell }) {
    return new Promise((done, failed) => {
      const request = new XMLHttpRequest();
      const stop = () => request.abort();
      request.open(method, this.base + path);
      request.setRequestHeader("Authorization", `Bearer ${this.ticket}`);
      request.setRequestHeader("Accept", "application/json");
      if (body) request.setRequestHeader("Content-Type", body.type || "application/octet-stream");
      if (tell) request.upload.onprogress = (event) => tell(event.loaded);
      request.onload = () => {
        const said = read(request.responseText);
        if (request.status >= 200 && request.status < 300 && said) done(said);
        else if (said?.error) failed(new Refused(request.status, said));
        else failed(UNDER_WAY.has(request.status) ? new Lost() : new Lost(String(request.status)));
      };
      request.onerror = request.ontimeout = () => failed(new Lost());
      request.onabort = () => failed(new DOMException("stopped", "AbortError"));
      request.onloadend = () => signal?.removeEventListener("abort", stop);
      signal?.addEventListener("abort", stop);
      if (signal?.aborted) failed(new DOMException("stopped", "AbortError"));
      else request.send(body);
    });
  }
}

function address(url) {
  const base = new URL(document.documentElement.dataset.base, location.origin);
  return new URL(url, base).href.replace(/\/+$/, "");
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
