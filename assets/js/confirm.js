/**
 * Asks before something that cannot be taken back. On a form, a submit button, a link or an
 * element with hx-* attributes:
 *   data-confirm="Cancel this campaign?"    the question
 *   data-confirm-detail="..."               what will happen
 *   data-confirm-action="Cancel campaign"   label of the button that goes ahead
 *   data-confirm-tone="danger"              or "primary" (danger unless told)
 *   data-confirm-type="1240"                what has to be typed first
 */
const HTMX = "[hx-get], [hx-post], [hx-put], [hx-patch], [hx-delete]";
const confirmed = new WeakSet();

export function watchConfirm() {
  // Capture: ask before any other listener acts on the event.
  document.addEventListener("submit", askBeforeSubmit, true);
  document.addEventListener("click", askBeforeLink, true);
  document.addEventListener("htmx:confirm", askBeforeRequest);
}

function askBeforeSubmit(event) {
  const form = event.target;
  if (form.matches(HTMX)) return;
  const asking = event.submitter?.matches("[data-confirm]") ? event.submitter : form;
  if (!asking.matches("[data-confirm]") || confirmed.delete(form)) return;
  hold(event);
  ask(asking, () => {
    confirmed.add(form);
    form.requestSubmit(event.submitter);
  });
}

function askBeforeLink(event) {
  const link = event.target.closest("a[data-confirm][href]");
  if (!link || link.matches(HTMX) || confirmed.delete(link)) return;
  hold(event);
  ask(link, () => {
    confirmed.add(link);
    link.click();
  });
}

function askBeforeRequest(event) {
  const { elt, triggeringEvent, issueRequest } = event.detail;
  const submitter = triggeringEvent?.submitter;
  const asking = submitter?.matches("[data-confirm]") ? submitter : elt;
  if (!asking.matches("[data-confirm]")) return;
  event.preventDefault();
  ask(asking, () => issueRequest(true));
}

function hold(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

function ask(asking, goAhead) {
  const dialog = document.getElementById("confirm-dialog");
  const { confirm, confirmDetail, confirmAction, confirmTone, confirmType } = asking.dataset;
  const part = (name) => dialog.querySelector(`[data-confirm-part="${name}"]`);
  const action = part("action");
  const typed = part("typed");
  part("question").textContent = confirm;
  part("detail").textContent = confirmDetail ?? "";
  part("expected").textContent = confirmType ?? "";
  part("typing").hidden = !confirmType;
  action.textContent = confirmAction ?? "Yes, go ahead";
  action.className = `btn btn-${confirmTone ?? "danger"}`;
  action.disabled = Boolean(confirmType);
  typed.value = "";
  typed.oninput = () => {
    action.disabled = !sameText(typed.value, confirmType);
  };
  dialog.returnValue = "";
  dialog.onclose = () => {
    if (dialog.returnValue === "confirm") goAhead();
  };
  dialog.showModal();
}

/** 1,240 and 1240 are the same answer. */
function sameText(typed, expected) {
  const plain = (text) => text.trim().replaceAll(/[\s,.]/g, "").toLowerCase();
  return plain(typed) === plain(expected);
}
