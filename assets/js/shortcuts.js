import { readPreference, writePreference } from "./cookies.js";

const SEQUENCE_MS = 1200;

/**
 * "/" goes to the search box, "g" and a letter follow the link with data-shortcut="letter", "?"
 * shows the list. A key alone presses what has data-press="key", where a page has such. A checkbox with data-shortcuts-switch turns them off, because single keys get in
 * the way of people who dictate.
 */
export function watchShortcuts() {
  let waitingSince = 0;
  markSwitch();
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-shortcuts-switch]")) return;
    writePreference("shortcuts", event.target.checked ? "on" : "off");
    markSwitch();
  });
  document.addEventListener("keydown", (event) => {
    if (!isOn() || isTaken(event)) return;
    if (waitingSince > Date.now() - SEQUENCE_MS) {
      waitingSince = 0;
      follow(event);
    } else if (event.key === "g") {
      waitingSince = Date.now();
    } else if (event.key === "/") {
      focusSearch(event);
    } else if (event.key === "?") {
      document.getElementById("shortcuts-dialog")?.showModal();
    } else {
      document.querySelector(`[data-press="${CSS.escape(event.key)}"]`)?.click();
    }
  });
}

function isOn() {
  return readPreference("shortcuts", "on") === "on";
}

function isTaken(event) {
  return (
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    event.target.closest("input, textarea, select, [contenteditable], dialog") !== null
  );
}

function focusSearch(event) {
  const boxes = [...document.querySelectorAll("[data-search]")];
  const visible = boxes.find((box) => box.checkVisibility());
  if (!visible) return;
  event.preventDefault();
  visible.focus();
  visible.select();
}

function follow(event) {
  document.querySelector(`a[data-shortcut="${CSS.escape(event.key)}"]`)?.click();
}

function markSwitch() {
  document.documentElement.classList.toggle("shortcuts-off", !isOn());
  for (const box of document.querySelectorAll("[data-shortcuts-switch]")) box.checked = isOn();
}
