// Buttons of the design page that show what messages look like.
import { complain, say } from "./messages.js";

for (const button of document.querySelectorAll("[data-say]")) {
  button.addEventListener("click", () => say(button.dataset.say));
}
for (const button of document.querySelectorAll("[data-complain]")) {
  button.addEventListener("click", () => complain(button.dataset.complain));
}
