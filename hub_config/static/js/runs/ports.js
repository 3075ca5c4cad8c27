// The ports of a run: its programs are opened through the person's own agent.
import { agentOf, insist, note, parts } from "./live.js";

class Ports {
  constructor(part) {
    this.part = part;
    part.addEventListener("click", (event) => {
      const way = event.target.closest("[data-port]");
      if (!way) return;
      event.preventDefault();
      this.open(way.dataset.port);
    });
  }

  // A window that is not opened at once is taken for an advertisement, and blocked.
  async open(port) {
    const opened = window.open("about:blank", "_blank");
    try {
      const agent = agentOf(this.part);
      await insist(this.part, () => agent.json("api/health"));
      const { url } = await agent.address(`proxy/${this.part.dataset.job}/${port}/`);
      note(this.part, "");
      if (opened) {
        opened.opener = null;
        opened.location.replace(url);
      } else location.assign(url);
    } catch (error) {
      opened?.close();
      note(this.part, error.message);
    }
  }
}

parts("ports", (part) => new Ports(part));
