/**
 * Whoever types in a part with data-keep-typing while htmx brings that part anew goes on with what they
 * have typed: the answer knows only what stood there when it was asked for.
 */
export function keepTyping() {
  let typed = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const field = document.activeElement;
    const isTyping = field?.id && field.matches("[data-keep-typing] :is(input, textarea)");
    typed = isTyping && event.detail.target.contains(field) ? { id: field.id, value: field.value } : null;
  });
  document.addEventListener("htmx:afterSwap", () => {
    const field = typed && document.getElementById(typed.id);
    if (field?.matches("input, textarea") && field.value !== typed.value) field.value = typed.value;
    typed = null;
  });
}
