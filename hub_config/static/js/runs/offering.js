// What servers elsewhere have, offered below a field while one types: they are asked by
// the portal, which answers within seconds or says why not. Nothing waits for it.
import { call } from "../api.js";

// So long nobody types before a question is asked.
export const WAIT_MS = 400;

// The field is given a list to choose from; what it had before is replaced.
export function offer(field, options) {
  const id = `offered-${field.name || field.id}`;
  let list = document.getElementById(id);
  if (!list) {
    list = Object.assign(document.createElement("datalist"), { id });
    field.after(list);
    field.setAttribute("list", id);
  }
  list.replaceChildren(...options.map(([value, label]) => new Option(label, value)));
}

export class Question {
  // Only the last answer counts: what was asked before is of something else by now.
  // `place` is where the reason stands why there is not more.
  constructor(place, path, show) {
    Object.assign(this, { place, path, show, number: 0, asked: "" });
  }

  async ask(query) {
    const text = new URLSearchParams(query).toString();
    if (text === this.asked) return;
    this.asked = text;
    this.number += 1;
    const mine = this.number;
    const answer = await call("GET", `${this.path}?${text}`).catch(
      (error) => ({ why: error.message }),
    );
    if (mine !== this.number) return;
    this.place.textContent = answer.why ?? "";
    // What is not there now may be so in a moment.
    if (answer.why) this.asked = "";
    this.show(answer);
  }
}
