// What somebody chooses or drops: whole folders too, each file with its path within.
const SYSTEM = new Set([".DS_Store", "Thumbs.db", "desktop.ini"]);

// Files of an <input type=file>; of a folder, below the folder's own name.
export function ofInput(input) {
  return [...input.files].map((file) => ({
    path: file.webkitRelativePath || file.name,
    size: file.size,
    file,
  }));
}

// Files of a drop. It must be called within the event: afterwards the browser forgets.
export function ofDrop(transfer) {
  const roots = [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile())
    .filter(Boolean);
  return collect(roots);
}

export function isFiles(event) {
  return [...(event.dataTransfer?.types ?? [])].includes("Files");
}

async function collect(roots) {
  const found = [];
  for (const root of roots) {
    if (root instanceof File) found.push({ path: root.name, size: root.size, file: root });
    else await walk(root, found);
  }
  return found;
}

async function walk(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((done, failed) => entry.file(done, failed));
    found.push({ path: entry.fullPath.replace(/^\/+/, ""), size: file.size, file });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A browser gives a hundred at a time, and nothing when it is through.
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return;
    for (const one of some) await walk(one, found);
  }
}

// Put more files to those chosen already; what systems leave in folders is left out.
export function together(before, more) {
  const found = new Map(before.map((one) => [one.path, one]));
  for (const one of more) {
    if (!SYSTEM.has(one.path.split("/").pop())) found.set(one.path, one);
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function bytesOf(files) {
  return files.reduce((sum, one) => sum + one.size, 0);
}
