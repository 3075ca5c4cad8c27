// Files of scratch on their way into the store: the person's agent hands them over, and
// nothing goes through the network.
import { wait } from "../agent.js";
import { fill, number } from "../figures.js";
import { Panel } from "./panel.js";
import { patiently } from "./scratch.js";
import { words } from "./words.js";

const LOOK_EVERY_MS = 500;
const OVER = new Set(["done", "failed", "cancelled"]);
const SAID = 3;

export class Offer extends Panel {
  async run(agent, paths, base, counted) {
    this.sender = new Handed(counted);
    this.agent = agent;
    this.show("sending");
    this.element.querySelector("[data-does=pause]").hidden = true;
    this.place.title.focus();
    try {
      const { ticket, key } = this.upload;
      const order = { root: "scratch", ticket, upload: key, paths, base };
      this.work = await patiently(() => agent.json("api/files/offer", { method: "POST", body: order }));
      while (!OVER.has(this.work.state)) {
        await wait(LOOK_EVERY_MS);
        this.work = await patiently(() => agent.json(`api/files/work/${this.work.id}`));
        this.sender.take(this.work);
        this.move();
      }
      if (this.sender.state === "stopped") return null;
      this.sender.take(this.work);
      this.refuse();
      this.say();
      return await this.finish();
    } catch (error) {
      if (this.sender.state !== "stopped") this.show("failed", error);
      return null;
    }
  }

  // What the agent or the store did not take, with the reason for the first ones.
  refuse() {
    const { error, missed, misses } = this.work;
    if (error) throw new Error(error.message);
    if (!missed) return;
    const why = misses.slice(0, SAID).map((one) => `${one.path}: ${one.message}`);
    const more = missed > SAID ? [fill(words.more, { count: number(missed - SAID) })] : [];
    throw new Error([...why, ...more].join(" "));
  }

  // Which way they came: shared with scratch, or copied where that cannot be.
  say() {
    const { reflink = 0, copy = 0 } = this.work.result;
    this.afterwards = fill(words.how, { shared: number(reflink), copied: number(copy) });
  }

  async give() {
    this.sender.stop();
    if (this.work && !OVER.has(this.work.state)) {
      const cancel = `api/files/work/${this.work.id}/cancel`;
      await this.agent.json(cancel, { method: "POST", body: {} }).catch(() => {});
    }
    await super.give();
  }
}

// What a panel asks of a sender, told by the agent.
class Handed {
  constructor({ files, bytes }) {
    this.files = { length: files };
    this.total = bytes;
    this.done = { size: 0 };
    this.bytes = 0;
    this.state = "sending";
  }

  take(work) {
    this.bytes = work.bytes;
    this.done.size = work.done;
  }

  stop() {
    this.state = "stopped";
  }
}
