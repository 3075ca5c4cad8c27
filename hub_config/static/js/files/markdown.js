// Markdown as far as notebooks need it to be readable. Everything becomes nodes made
// here: HTML in the text stays text, and links lead to http and https only.
const FENCE = /^\s*(```+|~~~+)/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const ITEM = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/;
const INLINE = /`([^`]+)`|\*\*(.+?)\*\*|__(.+?)__|\*([^*\s][^*]*)\*|\[([^\]]*)\]\(([^()\s]+)\)/;

export function markdown(text) {
  const found = document.createDocumentFragment();
  const lines = text.split("\n");
  while (lines.length) found.append(...blockOf(lines));
  return found;
}

// Take one block off the lines.
function blockOf(lines) {
  const line = lines[0];
  if (!line.trim()) {
    lines.shift();
    return [];
  }
  const fence = FENCE.exec(line);
  if (fence) return [codeOf(lines, fence[1])];
  const heading = HEADING.exec(line);
  if (heading) {
    lines.shift();
    return [headingOf(heading[1].length, heading[2])];
  }
  if (ITEM.test(line)) return [listOf(lines)];
  return [paragraphOf(lines)];
}

function codeOf(lines, mark) {
  lines.shift();
  const kept = [];
  while (lines.length && !lines[0].trim().startsWith(mark)) kept.push(lines.shift());
  lines.shift();
  const pre = make("pre");
  pre.append(make("code", kept.join("\n")));
  return pre;
}

// The page has a heading of its own above: a notebook's stand below that.
function headingOf(level, text) {
  const heading = make(`h${Math.min(6, level + 2)}`);
  heading.append(inline(text));
  return heading;
}

function listOf(lines) {
  const list = make(ITEM.exec(lines[0])[1] ? "ol" : "ul");
  while (lines.length && ITEM.test(lines[0])) {
    const item = make("li");
    const parts = [ITEM.exec(lines.shift())[2]];
    while (lines.length && /^\s+\S/.test(lines[0]) && !ITEM.test(lines[0])) parts.push(lines.shift().trim());
    item.append(inline(parts.join(" ")));
    list.append(item);
  }
  return list;
}

function paragraphOf(lines) {
  const kept = [lines.shift()];
  while (lines.length && lines[0].trim() && !HEADING.test(lines[0]) && !FENCE.test(lines[0]) && !ITEM.test(lines[0])) {
    kept.push(lines.shift());
  }
  const paragraph = make("p");
  paragraph.append(inline(kept.join("\n")));
  return paragraph;
}

function inline(text) {
  const found = document.createDocumentFragment();
  let rest = text;
  for (;;) {
    const match = INLINE.exec(rest);
    if (!match) break;
    found.append(rest.slice(0, match.index), marked(match));
    rest = rest.slice(match.index + match[0].length);
  }
  found.append(rest);
  return found;
}

function marked([whole, code, strong, strong2, em, label, target]) {
  if (code !== undefined) return make("code", code);
  if (strong !== undefined || strong2 !== undefined) return make("strong", strong ?? strong2);
  if (em !== undefined) return make("em", em);
  if (!/^https?:\/\//i.test(target)) return document.createTextNode(whole);
  const link = make("a", label || target);
  link.href = target;
  link.rel = "noopener noreferrer";
  link.target = "_blank";
  return link;
}

function make(name, text = "") {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}
