// A button with data-copy copies the code beside it.
import { complain, say, word } from "./messages.js";

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const text = button.closest(".code").querySelector("code").textContent;
    try {
      await navigator.clipboard.writeText(text);
      say(word("copied"));
    } catch {
      // Pages that are not encrypted may not use the clipboard.
      complain(word("notCopied"));
    }
  });
}
