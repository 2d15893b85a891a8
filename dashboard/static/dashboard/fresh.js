// Keeps the server's lists current: what carries data-fresh is replaced by what the server says now.
import { localise } from "./format.js";

const EVERY_MS = 10_000;

async function freshen() {
  if (document.hidden) return;
  const response = await fetch(location.href).catch(() => null);
  if (!response?.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const old of document.querySelectorAll("[data-fresh]")) {
    const fresh = page.querySelector(`[data-fresh=${old.dataset.fresh}]`);
    // A reader who works in a list by keyboard keeps it.
    if (!fresh || old.contains(document.activeElement)) continue;
    localise(fresh);
    old.replaceWith(document.adoptNode(fresh));
  }
  document.dispatchEvent(new CustomEvent("fresh"));
}

setInterval(freshen, EVERY_MS);
document.addEventListener("visibilitychange", freshen);
document.addEventListener("stale", freshen);
