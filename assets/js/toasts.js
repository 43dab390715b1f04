const STAYS_MS = 6000;

/** Short note in the corner. Tones: good, info, warn, bad; a bad one stays until it is closed. */
export function toast(text, tone = "info") {
  const stack = document.getElementById("toasts");
  const template = document.querySelector(`template[data-toast="${CSS.escape(tone)}"]`);
  if (!stack || !template) return;
  const note = template.content.firstElementChild.cloneNode(true);
  note.querySelector("[data-toast-text]").textContent = text;
  raise(stack);
  stack.append(note);
  if (tone !== "bad") setTimeout(() => note.remove(), STAYS_MS);
}

/** Shown anew, a popover lies above any dialog that was opened since. */
function raise(stack) {
  if (stack.matches(":popover-open")) stack.hidePopover();
  stack.showPopover();
}

/** The server asks for one with the header HX-Trigger: {"toast": {"text": "...", "tone": "good"}}. */
export function watchToasts() {
  document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.tone));
  document.addEventListener("click", (event) => {
    event.target.closest("[data-toast-close]")?.closest(".toast-note")?.remove();
    event.target.closest("[data-notice-close]")?.closest(".notice")?.remove();
  });
}
