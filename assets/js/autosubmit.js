const TYPING_PAUSE_MS = 350;

/**
 * <form data-autosubmit> sends itself when a filter changes. While somebody types it does so only
 * if htmx replaces the rows in place: a full page load would take the cursor away.
 */
export function watchAutosubmit() {
  let timer;
  const sent = new WeakMap();
  const contents = (form) => new URLSearchParams(new FormData(form)).toString();
  const send = (form) => {
    clearTimeout(timer);
    sent.set(form, contents(form));
    form.requestSubmit();
  };
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    // Leaving a field is a change, too. What was sent while typing must not be sent again: its answer would
    // replace the link that is being clicked.
    if (form?.matches("[data-autosubmit]") && sent.get(form) !== contents(form)) send(form);
  });
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (!form?.matches("[data-autosubmit][hx-get]") || event.isComposing) return;
    if (!event.target.matches("input[type=search], input[type=text]")) return;
    clearTimeout(timer);
    timer = setTimeout(() => send(form), TYPING_PAUSE_MS);
  });
}
