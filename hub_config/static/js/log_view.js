// A log as it grows: the end is shown, as long as the reader wants that.
const SHOWN_CHARACTERS = 200_000;

export function append(code, text, follows) {
  const pre = code.parentElement;
  code.textContent = (code.textContent + text).slice(-SHOWN_CHARACTERS);
  if (follows) pre.scrollTop = pre.scrollHeight;
}
