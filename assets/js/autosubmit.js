const TYPING_PAUSE_MS = 350;

/**
 * <form data-autosubmit> sends itself when a filter changes. While somebody types it does so only
 * if htmx replaces the rows in place: a full page load would take the cursor away.
 */
export function watchAutosubmit() {
  let timer;
  const send = (form) => {
    clearTimeout(timer);
    form.requestSubmit();
  };
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form?.matches("[data-autosubmit]")) send(form);
  });
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (!form?.matches("[data-autosubmit][hx-get]") || event.isComposing) return;
    if (!event.target.matches("input[type=search], input[type=text]")) return;
    clearTimeout(timer);
    timer = setTimeout(() => send(form), TYPING_PAUSE_MS);
  });
}
