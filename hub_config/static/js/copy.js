// A button with data-copy copies the code beside it.
import { complain, say, word } from "./messages.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = button.closest(".code").querySelector("code").textContent;
  try {
    await navigator.clipboard.writeText(text);
    say(word("copied"));
  } catch {
    // Pages that are not encrypted may not use the clipboard.
    complain(word("notCopied"));
  }
});
