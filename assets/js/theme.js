import { readPreference } from "./cookies.js";

const THEMES = ["light", "dark", "auto"];
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

/** What the person chose: "light", "dark" or "auto". */
export function chosenTheme() {
  const theme = readPreference("theme", "auto");
  return THEMES.includes(theme) ? theme : "auto";
}

/** Shows the page in the chosen theme; "auto" follows the device. */
export function applyTheme(theme) {
  const shown = theme === "auto" ? (prefersDark.matches ? "dark" : "light") : theme;
  document.documentElement.dataset.bsTheme = shown;
}

/** Calls back when the device switches between light and dark. */
export function onDeviceTheme(callback) {
  prefersDark.addEventListener("change", callback);
}
