import { writePreference } from "./cookies.js";
import { applyTheme, chosenTheme, onDeviceTheme } from "./theme.js";

/** Buttons with data-theme-choice="light|dark|auto" switch the theme and remember it. */
export function watchThemeSwitch() {
  markChoice();
  onDeviceTheme(() => applyTheme(chosenTheme()));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice]");
    if (!button) return;
    writePreference("theme", button.dataset.themeChoice);
    applyTheme(chosenTheme());
    markChoice();
  });
}

function markChoice() {
  const theme = chosenTheme();
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme));
  }
}
