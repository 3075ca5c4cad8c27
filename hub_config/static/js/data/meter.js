// How fast something goes, over the last seconds, and how long it will still take.
const WINDOW_MS = 10_000;

export class Meter {
  constructor(clock = () => performance.now()) {
    this.clock = clock;
    this.samples = [];
  }

  note(bytes) {
    const now = this.clock();
    this.samples.push([now, bytes]);
    while (this.samples.length > 2 && this.samples[1][0] < now - WINDOW_MS) this.samples.shift();
  }

  reset() {
    this.samples = [];
  }

  // Bytes a second; null until there is something to tell.
  get rate() {
    if (this.samples.length < 2) return null;
    const [from, before] = this.samples[0];
    const [to, after] = this.samples.at(-1);
    return to - from < 500 || after <= before ? null : ((after - before) * 1000) / (to - from);
  }

  left(total) {
    const rate = this.rate;
    return rate === null ? null : (total - this.samples.at(-1)[1]) / rate;
  }
}
