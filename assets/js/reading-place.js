const NEAR_END_PX = 60;

/**
 * data-stay-at-end on a box of texts with an id: it shows the newest ones, also when htmx brings more,
 * unless the reader has scrolled up. Then the button with data-to-end="id" shows the way down.
 * data-keep-scroll="name": the box is where it was when the same page is loaded again.
 */
export function watchReadingPlace() {
  for (const box of document.querySelectorAll("[data-stay-at-end]")) {
    goToEnd(box);
    holdEnd(box);
  }
  for (const box of document.querySelectorAll("[data-keep-scroll]")) {
    box.scrollTop = Number(sessionStorage.getItem(storageKey(box)) ?? 0);
  }
  addEventListener("pagehide", () => {
    for (const box of document.querySelectorAll("[data-keep-scroll]")) {
      sessionStorage.setItem(storageKey(box), String(box.scrollTop));
    }
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-to-end]");
    if (button) goToEnd(document.getElementById(button.dataset.toEnd));
  });
  holdPlaceInSwaps();
}

/** The box becomes lower when the reply grows or a phone shows its keyboard. */
function holdEnd(box) {
  let atEnd = true;
  box.addEventListener(
    "scroll",
    () => {
      atEnd = isAtEnd(box);
      if (atEnd) offerEnd(box, false);
    },
    { passive: true },
  );
  new ResizeObserver(() => atEnd && goToEnd(box)).observe(box);
}

function holdPlaceInSwaps() {
  const places = new WeakMap();
  document.addEventListener("htmx:beforeSwap", (event) => {
    const box = event.detail.target;
    if (!box.matches("[data-stay-at-end], [data-keep-scroll]")) return;
    places.set(box, { top: box.scrollTop, atEnd: box.matches("[data-stay-at-end]") && isAtEnd(box) });
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const box = event.detail.target;
    const place = places.get(box);
    if (!place) return;
    places.delete(box);
    if (place.atEnd) return goToEnd(box);
    box.scrollTop = place.top;
    if (box.matches("[data-stay-at-end]")) offerEnd(box, true);
  });
}

function isAtEnd(box) {
  return box.scrollHeight - box.clientHeight - box.scrollTop < NEAR_END_PX;
}

function goToEnd(box) {
  box.scrollTop = box.scrollHeight;
  offerEnd(box, false);
}

function offerEnd(box, offered) {
  const button = document.querySelector(`[data-to-end="${CSS.escape(box.id)}"]`);
  if (button) button.hidden = !offered;
}

function storageKey(box) {
  return `scroll:${box.dataset.keepScroll}`;
}
