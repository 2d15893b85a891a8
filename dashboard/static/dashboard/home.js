// May we test now? The countdown to the guard's next change, and its words when they change.
import { now } from "./clock.js";
import { countdown, timeElement } from "./format.js";
import { blocks, isAdvised } from "./guard.js";
import "./week.js";

const hero = document.querySelector(".hero");
const find = (name) => hero.querySelector(`[data-${name}]`);
let target = null;

document.addEventListener("verdict", ({ detail: verdict }) => {
  const window_ = verdict.next_safe_window;
  find("guard-reason").textContent = verdict.safe ? `${verdict.reason}, judged` : "Judged";
  [find("countdown-label").textContent, find("window-label").textContent] = named(verdict);
  if (window_) {
    const [start, end] = [window_.start, window_.end].map((at) => timeElement(at, "day"));
    find("next-window").replaceChildren(...(verdict.safe ? ["now"] : [start]), " to ", end);
    target = Date.parse(verdict.safe ? window_.end : window_.start);
  } else {
    const { none, unknown } = find("next-window").dataset;
    find("next-window").textContent = blocks(verdict, "stale_calendar") ? unknown : none;
    target = null;
  }
  find("countdown").parentElement.hidden = target === null;
  tick();
});

function named(verdict) {
  if (verdict.safe) return ["Time left", "This safe window"];
  if (isAdvised(verdict)) return ["Advised start in", "Advised window"];
  return ["Next safe window in", "Next safe window"];
}

function tick() {
  find("countdown").textContent = target === null ? "–" : countdown(target - now());
}

setInterval(tick, 1000);
