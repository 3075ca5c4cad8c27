// What was chosen or dropped, as files with their paths below the folder they go to.
const READ_AT_ONCE = 64;

export function fromInput(list) {
  const files = [...list].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
  return { files, folders: [] };
}

// Must be called while the drop is handled: afterwards the browser forgets what it was.
export function entriesOf(transfer) {
  return [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile())
    .filter(Boolean);
}

// Go through folders that were dropped; `told(count)` hears how many files there are yet.
export async function fromEntries(entries, told) {
  const found = { files: [], folders: [] };
  const waiting = entries.map((entry) => ({ entry, path: entry.name }));
  while (waiting.length) {
    const some = waiting.splice(-READ_AT_ONCE);
    await Promise.all(some.map(({ entry, path }) => takeUp(entry, path, found, waiting)));
    told(found.files.length);
  }
  return found;
}

async function takeUp(entry, path, found, waiting) {
  if (entry instanceof File) {
    found.files.push({ file: entry, path });
  } else if (entry.isFile) {
    const file = await new Promise((done, failed) => entry.file(done, failed)).catch(() => null);
    found.files.push({ file, path });
  } else {
    const inside = await namesIn(entry);
    if (inside.length === 0) found.folders.push(path);
    for (const one of inside) waiting.push({ entry: one, path: `${path}/${one.name}` });
  }
}

// A folder is read in pieces, until there comes an empty one.
async function namesIn(folder) {
  const reader = folder.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed)).catch(() => []);
    if (some.length === 0) return found;
    found.push(...some);
  }
}
