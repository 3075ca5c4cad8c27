// What a job would see of the dataset that is typed: its first paths, and the data's names.
import { call } from "../api.js";

const WAIT_MS = 400;
const part = document.querySelector("[data-seen]");

class Seen {
  // Only the last answer counts: what was asked before is of another dataset by now.
  constructor(field) {
    Object.assign(this, { field, number: 0, timer: 0 });
    this.shown = this.typed();
    field.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.look(), WAIT_MS);
    });
    document.addEventListener("kqi:filled", () => this.look());
  }

  typed() {
    return this.field.value.trim().replace("#", "");
  }

  async look() {
    const id = this.typed();
    if (id === this.shown) return;
    this.shown = id;
    this.number += 1;
    const mine = this.number;
    const pairs = /^[0-9]{1,18}$/.test(id) ? await this.pairs(id) : [];
    if (mine !== this.number) return;
    part.hidden = pairs.length === 0;
    part.querySelector("[data-all]").href = `${part.dataset.page}/${id}/paths`;
    part.querySelector("[data-paths]").replaceChildren(...pairs.map(line));
  }

  // A dataset that is not there is told of when the form is sent.
  pairs(id) {
    const path = `${part.dataset.seen}/${id}/path-pairs?limit=${part.dataset.most}`;
    return call("GET", path).then((found) => found.pairs, () => []);
  }
}

function line(pair) {
  const path = Object.assign(document.createElement("code"), {
    className: "anywhere",
    textContent: `/kqi/input/${pair.path}`,
  });
  const name = Object.assign(document.createElement("span"), {
    className: "soft anywhere",
    textContent: pair.data_name,
  });
  const item = document.createElement("li");
  item.append(path, " ", name);
  return item;
}

if (part) new Seen(document.getElementById("field-dataset"));
