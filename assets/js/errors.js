import { toast } from "./toasts.js";

/** A failed htmx request must not pass in silence; a summary of form errors gets the focus. */
export function watchErrors() {
  keepQuietAboutAborts();
  document.addEventListener("htmx:responseError", (event) => {
    toast(reasonFor(event.detail.xhr.status), "bad");
  });
  document.addEventListener("htmx:sendError", () => {
    toast("No answer. Check the network, then load the page again.", "bad");
  });
  document.addEventListener("htmx:load", (event) => focusSummary(event.detail.elt));
  focusSummary(document);
}

function reasonFor(status) {
  if (status === 401 || status === 403) {
    return "This was not allowed. Load the page again; you may have to log in first.";
  }
  if (status === 404) return "This no longer exists. Load the page again.";
  if (status === 429) return "That was too often. Wait a moment and try again.";
  return "Something went wrong on our side. Try again in a moment.";
}

/**
 * A request ends when its page is left, and htmx writes that to the console as two errors. A request
 * that fails is still written there, as htmx:sendError.
 */
function keepQuietAboutAborts() {
  window.htmx.logger = (_element, name, detail) => {
    if (name === "htmx:sendAbort" || name === "htmx:afterRequest") delete detail.error;
  };
}

function focusSummary(root) {
  const summary = root.matches?.("[data-error-summary]")
    ? root
    : root.querySelector("[data-error-summary]");
  summary?.focus();
}
