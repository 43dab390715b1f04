/**
 * data-dialog-open="id" opens a <dialog>, data-dialog-close closes the one it stands in.
 * A <dialog data-dialog-show> that htmx brings in opens by itself; a click beside a dialog that
 * holds no form closes it, so that nothing typed is lost by accident.
 */
export function watchDialogs() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog-open]");
    if (opener) return show(document.getElementById(opener.dataset.dialogOpen));
    if (event.target.closest("[data-dialog-close]")) {
      return void event.target.closest("dialog")?.close();
    }
    if (event.target.matches("dialog") && !event.target.querySelector("input, textarea, select")) {
      event.target.close();
    }
  });
  document.addEventListener("htmx:load", (event) => showMarked(event.detail.elt));
  showMarked(document);
}

/** A dialog that asks for something begins at its first field; the browser alone would choose the close button. */
function show(dialog) {
  if (!dialog) return;
  dialog.showModal();
  const fields = "input:not([type=hidden], :disabled), select:not(:disabled), textarea:not(:disabled)";
  dialog.querySelector(fields)?.focus();
}

function showMarked(root) {
  const marked = root.matches?.("dialog[data-dialog-show]")
    ? root
    : root.querySelector("dialog[data-dialog-show]");
  if (marked && !marked.open) show(marked);
}
