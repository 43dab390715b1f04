/** data-history-back goes to the page before; a link keeps its address for when there is none. */
export function watchBack() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-history-back]");
    if (!link || history.length < 2) return;
    event.preventDefault();
    history.back();
  });
}
