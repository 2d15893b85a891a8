// The guard's verdict, live, wherever a page shows it: "safe", "blocked", "next safe window".
import { get } from "./api.js";
import { timeElement } from "./format.js";

const EVERY_MS = 5000;
let asked = 0;
let told = 0;

const CUT = { brief: ";", short: "; no window of " };

/** `length` "brief" keeps one clause of why, "short" leaves out how long a window there would be. */
export function sayVerdict(element, verdict, length = "whole") {
  const window_ = verdict.next_safe_window;
  const reason = verdict.reason.split(CUT[length] ?? "\n")[0];
  if (verdict.safe) {
    element.replaceChildren(...(window_ ? ["Safe until ", short(window_.end)] : ["Safe"]));
  } else if (window_) {
    const until = isAdvised(verdict) ? "Blocked, advised from " : "Blocked until ";
    element.replaceChildren(until, short(window_.start), `: ${reason}`);
  } else {
    element.replaceChildren(`Blocked: ${reason}`);
  }
}

/** After a protected weekday the guard advises Monday morning, though Sunday may be safe. */
export function isAdvised(verdict) {
  return Boolean(verdict.next_safe_window) && blocks(verdict, "protected_weekday");
}

export function blocks(verdict, rule) {
  return verdict.blockers.some((blocker) => blocker.rule === rule);
}

export function watch() {
  setInterval(refreshVerdict, EVERY_MS);
  document.addEventListener("visibilitychange", refreshVerdict);
  refreshVerdict();
}

/** Asks at once; an answer that comes after a later question's is dropped. */
export async function refreshVerdict() {
  if (document.hidden) return;
  const mine = (asked += 1);
  const verdict = await get("/api/load-testing/window?duration=PT30M").catch(() => null);
  if (!verdict || mine < told) return;
  told = mine;
  paint(verdict);
}

function paint(verdict) {
  for (const element of document.querySelectorAll("[data-guard]")) {
    element.dataset.safe = String(verdict.safe);
    const sentence = element.querySelector("[data-guard-sentence]");
    const before = sentence.textContent;
    const draft = document.createElement("span");
    sayVerdict(draft, verdict, sentence.dataset.guardSentence);
    if (draft.textContent !== before) sentence.replaceChildren(...draft.childNodes);
    sentence.title = verdict.reason;
  }
  document.dispatchEvent(new CustomEvent("verdict", { detail: verdict }));
}

function short(iso) {
  return timeElement(iso, "short");
}
