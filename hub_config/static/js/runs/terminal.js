// A terminal in a running job: opened by the person's own agent, as the person.
import { agentOf, insist, note, parts, Refused } from "./live.js";
import { loadTerminal } from "./xterm.js";

const AGAIN_MS = 1_500;
const TRIES = 20;
const OVER = new Set([1000, 1003, 4001, 4003]);

class Shell {
  constructor(part) {
    this.part = part;
    this.words = part.dataset;
    this.agent = agentOf(part);
    this.screen = part.querySelector("[data-screen]");
    this.start = part.querySelector("[data-start]");
    this.end = part.querySelector("[data-end]");
    this.start.addEventListener("click", () => this.open());
    this.end.addEventListener("click", () => this.close());
  }

  async open() {
    this.start.disabled = true;
    note(this.part, this.words.opening);
    try {
      await this.show();
      const { job, kind, run } = this.words;
      const { columns, rows } = this.size();
      const body = { job, columns, rows, ...(run && { run: `${kind}/${run}` }) };
      this.found = await insist(this.part, () => this.agent.json("api/terminals", { method: "POST", body }));
      await this.connect(this.found.ticket);
    } catch (error) {
      this.ended(error.message);
    }
  }

  // The screen is made for each opening: what an earlier one showed is over.
  async show() {
    const { Terminal, FitAddon } = await loadTerminal(this.words);
    this.terminal?.dispose();
    this.screen.hidden = false;
    this.terminal = new Terminal({
      fontFamily: "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace",
      fontSize: 14,
      scrollback: 5000,
      screenReaderMode: true,
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    });
    const fit = new FitAddon();
    this.terminal.loadAddon(fit);
    this.terminal.open(this.screen);
    fit.fit();
    this.resizes?.disconnect();
    this.resizes = new ResizeObserver(() => {
      if (!this.screen.hidden && this.screen.clientWidth) fit.fit();
    });
    this.resizes.observe(this.screen);
    this.terminal.onData((text) => this.send(new TextEncoder().encode(text)));
    this.terminal.onBinary((text) => this.send(Uint8Array.from(text, (one) => one.charCodeAt(0))));
    this.terminal.onResize(() => this.tell(this.size()));
    // Tab is the shell's; whoever uses the keyboard leaves with Ctrl+Shift+Escape.
    this.terminal.attachCustomKeyEventHandler((event) => {
      if (!(event.ctrlKey && event.shiftKey && event.key === "Escape")) return true;
      this.end.focus();
      return false;
    });
    this.terminal.focus();
  }

  size() {
    return { columns: Math.max(2, this.terminal.cols), rows: Math.max(2, this.terminal.rows) };
  }

  async connect(ticket) {
    const { url } = await this.agent.address(`terminals/${this.found.id}`);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url, ["kqi.terminal", `ticket.${ticket}`]);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      this.tries = TRIES;
      this.tell(this.size());
      this.end.hidden = false;
      this.start.hidden = true;
      note(this.part, this.words.open);
    });
    socket.addEventListener("message", ({ data }) => this.take(data));
    socket.addEventListener("close", ({ code }) => {
      if (this.socket === socket) this.lost(code);
    });
  }

  // It says what it has shown, so that no flood fills this page.
  take(data) {
    if (typeof data !== "string") {
      this.terminal.write(new Uint8Array(data), () => this.tell({ shown: data.byteLength }));
      return;
    }
    const { ended } = JSON.parse(data);
    this.ended(ended === 0 ? this.words.ended : `${this.words.ended} (${ended})`);
  }

  lost(code) {
    if (OVER.has(code)) {
      if (code === 4001) this.ended(this.words.elsewhere);
      else if (!this.isOver) this.ended(this.words.ended);
      return;
    }
    note(this.part, this.words.again);
    this.tries = (this.tries ?? TRIES) - 1;
    if (this.tries > 0) setTimeout(() => this.resume(), AGAIN_MS);
    else this.ended(this.words.broken);
  }

  // The agent keeps the terminal for a while, and what it has shown.
  async resume() {
    try {
      const { ticket } = await this.agent.json(`api/terminals/${this.found.id}`, { method: "POST", body: {} });
      this.terminal.reset();
      await this.connect(ticket);
    } catch (error) {
      if (error instanceof Refused) this.ended(error.message);
      else this.lost(0);
    }
  }

  async close() {
    this.isOver = true;
    const gone = this.found && this.agent.fetch(`api/terminals/${this.found.id}`, { method: "DELETE" });
    await gone?.catch((error) => note(this.part, error.message));
    this.ended(this.words.ended);
    this.start.focus();
  }

  ended(text) {
    const { socket } = this;
    this.socket = null;
    socket?.close();
    this.end.hidden = true;
    this.start.hidden = false;
    this.start.disabled = false;
    this.isOver = false;
    note(this.part, text);
  }

  send(bytes) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(bytes);
  }

  tell(said) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(said));
  }
}

parts("terminal", (part) => new Shell(part));
