// Files of scratch on their way into the store: the person's agent hands them over, and
// nothing goes through the network.
import { call } from "../api.js";
import { wait } from "../agent.js";
import { Panel } from "./panel.js";
import { patiently } from "./scratch.js";
import { api } from "./words.js";

const LOOK_EVERY_MS = 500;

export class Offer extends Panel {
  async run(agent, paths, base, { files, bytes }) {
    this.sender = new Handed(files, bytes);
    this.show("sending");
    this.place.title.focus();
    try {
      const order = { ticket: this.upload.ticket, upload: this.upload.key, root: "scratch", paths, base };
      let task = await patiently(() => agent.json("api/files/offer", { method: "POST", body: order }));
      while (!["done", "failed"].includes(task.state)) {
        await wait(LOOK_EVERY_MS);
        if (this.sender.state === "stopped") return null;
        task = await patiently(() => agent.json(`api/files/offer/${task.id}`));
        this.sender.take(task);
        this.move();
      }
      if (task.state === "failed") throw new Error(task.error?.message ?? task.message);
      return await this.finish();
    } catch (error) {
      this.show("failed", error);
      return null;
    }
  }

  async give() {
    this.sender.state = "stopped";
    await super.give();
  }
}

// What a panel asks of a sender, told by the agent.
class Handed {
  constructor(files, bytes) {
    this.files = { length: files };
    this.total = bytes;
    this.done = { size: 0 };
    this.bytes = 0;
    this.state = "sending";
  }

  take(task) {
    this.bytes = task.bytes ?? this.bytes;
    this.done.size = task.taken ?? task.files ?? this.done.size;
  }

  stop() {
    this.state = "stopped";
  }
}
