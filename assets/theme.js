// Loaded in <head> without defer: it must run before the first paint, or dark pages flash white.
import { applyTheme, chosenTheme } from "./js/theme.js";

document.documentElement.classList.add("js");
applyTheme(chosenTheme());
