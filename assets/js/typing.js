/**
 * Whoever types in a part with data-keep-typing while htmx brings that part anew goes on with what they
 * have typed: the answer knows only what stood there when it was asked for. What it says is asked for again.
 */
export function keepTyping() {
  let typed = null;
  let outdated = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const field = document.activeElement;
    const isTyping = field?.id && field.matches("[data-keep-typing] :is(input, textarea)");
    typed = isTyping && event.detail.target.contains(field) ? { id: field.id, value: field.value } : null;
  });
  document.addEventListener("htmx:afterSwap", () => {
    const field = typed && document.getElementById(typed.id);
    if (field?.matches("input, textarea") && field.value !== typed.value) {
      field.value = typed.value;
      outdated = field;
    }
    typed = null;
  });
  // Only now does htmx listen to the new field.
  document.addEventListener("htmx:afterSettle", () => {
    const field = outdated;
    outdated = null;
    field?.dispatchEvent(new Event("change", { bubbles: true }));
  });
}
