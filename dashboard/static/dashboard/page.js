// On every page: times in the viewer's zone, the guard's pill, the switch between dark and light.
import { now } from "./clock.js";
import { localise, zoneName } from "./format.js";
import { watch } from "./guard.js";

localise(document);
document.querySelector("[data-zone]").textContent = zoneName(now());
document.querySelector("[data-theme-switch]").addEventListener("click", switchTheme);
if (document.querySelector("[data-guard]")) watch();

function switchTheme() {
  const root = document.documentElement;
  const isDark =
    root.dataset.theme === "dark" ||
    (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = isDark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
  document.dispatchEvent(new CustomEvent("theme"));
}
