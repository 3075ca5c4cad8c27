// The list of all data: searched by the portal, page by page.
import { call } from "../api.js";
import { api } from "../data/words.js";

export const PER_PAGE = 100;
const MOST = 1000;

export class Found {
  constructor(form, tenant) {
    Object.assign(this, { form, tenant, page: 1, items: [], total: 0 });
    this.turn = 0;
  }

  get pages() {
    return Math.max(1, Math.ceil(this.total / PER_PAGE));
  }

  // Null when something else was asked for meanwhile.
  async fetch(page = 1) {
    const mine = ++this.turn;
    const found = await this.ask(page, PER_PAGE);
    if (mine !== this.turn) return null;
    this.page = page;
    this.items = found.data;
    this.total = found.total;
    return this.items;
  }

  // Everything that is found, not only what is shown.
  async all() {
    const items = [];
    for (let page = 1; ; page += 1) {
      const found = await this.ask(page, MOST);
      items.push(...found.data);
      if (found.data.length < MOST) return items;
    }
  }

  async ask(page, count) {
    const query = new URLSearchParams({ tenant: this.tenant, page, per_page: count, with_total: "true" });
    for (const [name, value] of new FormData(this.form)) if (value.trim()) query.append(name, value.trim());
    return call("GET", api(`data?${query}`));
  }
}
