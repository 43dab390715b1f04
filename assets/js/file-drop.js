/**
 * <form data-file-drop>: its area lights up while a file hovers above it, and says so while the file
 * is on its way (aria-busy). The file input covers the area, so dropping itself needs no script.
 */
export function watchFileDrop() {
  for (const name of ["dragenter", "dragover"]) document.addEventListener(name, (event) => mark(event, true));
  for (const name of ["dragleave", "drop"]) document.addEventListener(name, (event) => mark(event, false));
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-file-drop]")) event.target.setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", startAnew);
}

function mark(event, hovering) {
  event.target.closest?.("[data-file-drop]")?.toggleAttribute("data-hovering", hovering);
}

/** Back on the page, the browser may still hold the file; choosing it again would then do nothing. */
function startAnew() {
  for (const form of document.querySelectorAll("[data-file-drop]")) {
    form.reset();
    form.removeAttribute("aria-busy");
  }
}
