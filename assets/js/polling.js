import { toast } from "./toasts.js";

/**
 * Elements with data-poll and an id ask for news by hx-trigger="every 2s". Nothing is asked while nobody
 * looks or a dialog is open, and an answer that says the same as the last one changes nothing: a link
 * under the mouse, a selection and the place of a screen reader stay. An interruption is told once.
 */
export function watchPolling() {
  const lastAnswers = new Map();
  let interrupted = false;

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (isPoll(event.detail.elt) && isBadMoment()) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { requestConfig, xhr } = event.detail;
    if (!isPoll(requestConfig.elt) || xhr.status >= 300) return;
    interrupted = false;
    const { id } = requestConfig.elt;
    if (lastAnswers.get(id) === xhr.response || isBadMoment()) event.detail.shouldSwap = false;
    else lastAnswers.set(id, xhr.response);
  });
  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, (event) => {
      if (!isPoll(event.detail.requestConfig?.elt)) return;
      event.stopImmediatePropagation();
      if (!interrupted) toast("No connection. This page goes on by itself when it is back.", "warn");
      interrupted = true;
    });
  }
}

function isPoll(element) {
  return element?.matches?.("[data-poll]") ?? false;
}

function isBadMoment() {
  return document.hidden || document.querySelector("dialog[open]") !== null;
}
