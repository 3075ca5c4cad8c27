// Files in pieces that are sent one by one: many small ones together, large ones alone.
const SMALL = 1024 * 1024;
const PACK_BYTES = 8 * 1024 * 1024;
const PACK_FILES = 1000;
const encoder = new TextEncoder();

// `offsets` says of each path how much is safe already.
export function piecesOf(files, offsets = new Map()) {
  const pieces = [];
  let pack = newPack();
  for (const one of files) {
    const offset = offsets.get(one.path) ?? 0;
    if (one.size > SMALL || offset) {
      pieces.push({ kind: "file", files: [one], bytes: one.size - offset, offset });
      continue;
    }
    if (pack.files.length >= PACK_FILES || pack.bytes + one.size > PACK_BYTES) {
      pieces.push(pack);
      pack = newPack();
    }
    pack.files.push(one);
    pack.bytes += one.size;
  }
  if (pack.files.length) pieces.push(pack);
  // The largest first: one that is sent alone at the end would keep all others waiting.
  return pieces.sort((a, b) => b.bytes - a.bytes);
}

function newPack() {
  return { kind: "pack", files: [], bytes: 0, offset: 0 };
}

// [length of the header, four bytes][header as JSON][content], once for each file.
export function packed(files) {
  const parts = [];
  for (const { path, size, file } of files) {
    const header = encoder.encode(JSON.stringify({ path, size }));
    const length = new DataView(new ArrayBuffer(4));
    length.setUint32(0, header.length);
    parts.push(length.buffer, header, file);
  }
  return new Blob(parts, { type: "application/octet-stream" });
}
