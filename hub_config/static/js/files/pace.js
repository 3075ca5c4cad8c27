// How quick something goes: of the last seconds, so that a pause is soon forgotten.
const LOOKS_BACK_MS = 8_000;

export class Pace {
  constructor() {
    this.marks = [];
  }

  note(bytes, files) {
    const now = performance.now();
    this.marks.push({ now, bytes, files });
    while (this.marks.length > 2 && this.marks[0].now < now - LOOKS_BACK_MS) this.marks.shift();
  }

  forget() {
    this.marks = [];
  }

  // Bytes in a second, and seconds that are left; null while nothing can be said.
  of(leftBytes, leftFiles) {
    const [first, last] = [this.marks[0], this.marks.at(-1)];
    const seconds = first && last ? (last.now - first.now) / 1000 : 0;
    if (seconds < 1) return null;
    const bytes = (last.bytes - first.bytes) / seconds;
    const files = (last.files - first.files) / seconds;
    // Many small files take the time of their number, few large ones that of their bytes.
    const lefts = [leftBytes > 0 ? leftBytes / bytes : 0, leftFiles > 1 && files > 0 ? leftFiles / files : 0];
    const left = Math.max(...lefts);
    return { bytes, left: Number.isFinite(left) ? left : null };
  }
}
