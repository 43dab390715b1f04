const STUCK_AFTER_MS = 10_000;

/**
 * Help with writing a text. Each change can be taken back with Ctrl+Z.
 *   data-fill="whole text" data-fill-into="id"            puts a text in place of what was written
 *   data-replace="–" data-replace-with="-" data-replace-in="id"   replaces a character everywhere
 *   data-submit-keys on a text box                        Ctrl+Enter and Cmd+Enter send its form
 *   data-once on a form                                   a second click does not send it again
 *   data-unsaved on a form                                asks before the page is left with changes
 */
export function watchWriting() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-fill], [data-replace]");
    if (!button) return;
    button.closest("details")?.removeAttribute("open");
    changeText(button.dataset);
  });
  document.addEventListener("keydown", (event) => {
    const sends = event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing;
    if (!sends || !event.target.matches("[data-submit-keys]")) return;
    event.preventDefault();
    event.target.form.requestSubmit();
  });
  sendOnce();
  guardUnsaved();
}

function changeText({ fill, fillInto, replace, replaceWith, replaceIn }) {
  const field = document.getElementById(fillInto ?? replaceIn);
  const text = fill ?? field.value.replaceAll(replace, replaceWith);
  field.focus();
  field.select();
  // Deprecated, but the only way that keeps the browser's own undo.
  if (document.execCommand(text ? "insertText" : "delete", false, text)) return;
  field.setRangeText(text, 0, field.value.length, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function sendOnce() {
  const sent = new Set();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.matches("[data-once]")) return;
    if (sent.has(form)) return event.preventDefault();
    sent.add(form);
    setTimeout(() => sent.delete(form), STUCK_AFTER_MS);
  });
  // Back to a page that the browser kept: it may be sent again.
  addEventListener("pageshow", () => sent.clear());
}

function guardUnsaved() {
  let leavesByForm = false;
  document.addEventListener("submit", (event) => {
    if (!event.defaultPrevented) leavesByForm = true;
  });
  addEventListener("pageshow", () => {
    leavesByForm = false;
  });
  addEventListener("beforeunload", (event) => {
    const forms = [...document.querySelectorAll("form[data-unsaved]")];
    if (!leavesByForm && forms.some(isChanged)) event.preventDefault();
  });
}

function isChanged(form) {
  return [...form.querySelectorAll("input, textarea")].some((field) =>
    field.matches("[type=checkbox], [type=radio]")
      ? field.checked !== field.defaultChecked
      : field.value !== field.defaultValue,
  );
}
