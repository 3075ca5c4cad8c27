// The page is told what changes, by one stream of events: [data-live="a,b"] names the
// subjects, data-events the address, data-tenant whose things it shows. Others listen to the document:
//   kqi:live     an event came; detail is { subject, data }
//   kqi:changed  what the page shows is new: fetch it again
// A page that nobody looks at listens to nothing. A stream that breaks is begun again,
// each time a little later; EventSource cannot send the page's proof, fetch can.
const xsrf = document.querySelector('meta[name="xsrf-token"]')?.content ?? "";
const FIRST_MS = 1000;
const LONGEST_MS = 30_000;
// The portal says something every twenty seconds, if only that it is still there.
const SILENCE_MS = 50_000;

class Stream {
  constructor(place) {
    const query = new URLSearchParams({ of: place.dataset.live });
    if (place.dataset.tenant) query.set("tenant", place.dataset.tenant);
    this.address = `${place.dataset.events}?${query}`;
    this.pause = FIRST_MS;
    this.seen = new Map();
    this.told = new Map();
    this.control = null;
  }

  // Runs until the page is hidden.
  async run() {
    if (this.control) return;
    const control = new AbortController();
    this.control = control;
    while (!control.signal.aborted) {
      const began = Date.now();
      await this.listen(control.signal).catch(() => {});
      if (control.signal.aborted) break;
      if (Date.now() - began > LONGEST_MS) this.pause = FIRST_MS;
      await new Promise((wake) => setTimeout(wake, this.pause));
      this.pause = Math.min(LONGEST_MS, this.pause * 2);
    }
    if (this.control === control) this.control = null;
  }

  stop() {
    this.control?.abort();
    this.control = null;
  }

  async listen(signal) {
    const quiet = new AbortController();
    let watch = 0;
    const alive = () => {
      clearTimeout(watch);
      watch = setTimeout(() => quiet.abort(), SILENCE_MS);
    };
    alive();
    try {
      const answer = await fetch(this.address, {
        headers: { Accept: "text/event-stream", "X-XSRFToken": xsrf },
        cache: "no-store",
        signal: either(signal, quiet.signal),
      });
      if (!answer.ok || !answer.body) throw new Error(String(answer.status));
      let rest = "";
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        alive();
        this.pause = FIRST_MS;
        const parts = (rest + value).split("\n\n");
        rest = parts.pop();
        for (const part of parts) this.take(part);
      }
    } finally {
      clearTimeout(watch);
    }
  }

  take(text) {
    const lines = text.split("\n");
    const subject = lines.find((l) => l.startsWith("event: "))?.slice(7);
    const written = lines.find((l) => l.startsWith("data: "))?.slice(6);
    if (!subject || !written) return;
    const data = JSON.parse(written);
    document.dispatchEvent(new CustomEvent("kqi:live", { detail: { subject, data } }));
    const { version, trust, stamp } = data;
    const mark = JSON.stringify([version ?? data, trust, stamp]);
    const before = this.told.get(subject);
    this.told.set(subject, mark);
    // The first event may be what the page was drawn from; asking once more is cheap.
    if (before !== mark) document.dispatchEvent(new CustomEvent("kqi:changed"));
  }
}

function either(one, other) {
  const both = new AbortController();
  for (const signal of [one, other]) {
    if (signal.aborted) both.abort();
    signal.addEventListener("abort", () => both.abort(), { once: true });
  }
  return both.signal;
}

const place = document.querySelector("[data-live]");
if (place) {
  const stream = new Stream(place);
  const follow = () => {
    if (document.visibilityState === "visible") stream.run();
    else stream.stop();
  };
  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", () => stream.stop());
  addEventListener("pageshow", follow);
  follow();
}
