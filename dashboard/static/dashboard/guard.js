// The guard's verdict, live, wherever a page shows it: "safe", "blocked", "next safe window".
import { watchGuard } from "streaming/live.js";
import { get } from "./api.js";
import { timeElement } from "./format.js";

const EVERY_MS = 30_000;

export function sayVerdict(element, verdict) {
  const window_ = verdict.next_safe_window;
  if (verdict.safe) {
    element.replaceChildren(...(window_ ? ["Safe until ", short(window_.end)] : ["Safe"]));
  } else if (window_) {
    element.replaceChildren("Blocked until ", short(window_.start), `: ${verdict.reason}`);
  } else {
    element.replaceChildren(`Blocked: ${verdict.reason}`);
  }
}

export function watch() {
  const refresh = () => {
    if (!document.hidden) get("/api/load-testing/window?duration=PT30M").then(paint, () => {});
  };
  setInterval(refresh, EVERY_MS);
  document.addEventListener("visibilitychange", refresh);
  watchGuard({ onVerdict: refresh });
  refresh();
}

function paint(verdict) {
  for (const element of document.querySelectorAll("[data-guard]")) {
    element.dataset.safe = String(verdict.safe);
    const sentence = element.querySelector("[data-guard-sentence]");
    const before = sentence.textContent;
    const draft = document.createElement("span");
    sayVerdict(draft, verdict);
    if (draft.textContent !== before) sentence.replaceChildren(...draft.childNodes);
    sentence.title = sentence.textContent;
  }
  document.dispatchEvent(new CustomEvent("verdict", { detail: verdict }));
}

function short(iso) {
  return timeElement(iso, "short");
}
