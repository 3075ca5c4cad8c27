// What a dataset holds while it is put together: items in areas, an area for each type.
export const FLAT = "";

export class Entries extends EventTarget {
  constructor(types) {
    super();
    this.areas = new Map(types.map((type) => [type, new Map()]));
  }

  get types() {
    return [...this.areas.keys()];
  }

  get count() {
    return [...this.areas.values()].reduce((sum, one) => sum + one.size, 0);
  }

  // Items that are in several areas: a model would be tested with what it has learned.
  get repeated() {
    const seen = new Map();
    for (const area of this.areas.values()) {
      for (const id of area.keys()) seen.set(id, (seen.get(id) ?? 0) + 1);
    }
    return [...seen.values()].filter((count) => count > 1).length;
  }

  of(type) {
    return this.areas.get(type) ?? new Map();
  }

  typesOf(id) {
    return this.types.filter((type) => this.of(type).has(id));
  }

  // Return how many are new there.
  put(items, type) {
    const area = this.of(type);
    const before = area.size;
    for (const one of items) area.set(one.id, one);
    this.changed();
    return area.size - before;
  }

  take(ids, type) {
    for (const id of ids) this.of(type).delete(id);
    this.changed();
  }

  move(ids, from, to) {
    if (from === to) return;
    const items = ids.map((id) => this.of(from).get(id)).filter(Boolean);
    for (const one of items) {
      this.of(from).delete(one.id);
      this.of(to).set(one.id, one);
    }
    this.changed();
  }

  // Into one area, for a flat dataset; or all into the first type, back from it.
  reshape(types) {
    const all = new Map();
    for (const area of this.areas.values()) for (const [id, one] of area) all.set(id, one);
    const isSame = types.every((type) => this.areas.has(type)) && types.length === this.areas.size;
    if (isSame) return;
    this.areas = new Map(types.map((type) => [type, new Map()]));
    this.areas.set(types[0], all);
    this.changed();
  }

  asked(isFlat) {
    if (isFlat) return [...this.of(FLAT).keys()];
    const named = this.types.map((type) => [type, [...this.of(type).keys()]]);
    return Object.fromEntries(named.filter(([, ids]) => ids.length));
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }
}
