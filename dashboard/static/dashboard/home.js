// May we test now? The countdown to the guard's next change, and its words when they change.
import { now } from "./clock.js";
import { countdown, timeElement } from "./format.js";
import "./week.js";

const hero = document.querySelector(".hero");
const find = (name) => hero.querySelector(`[data-${name}]`);
let target = null;

document.addEventListener("verdict", ({ detail: verdict }) => {
  const window_ = verdict.next_safe_window;
  find("guard-reason").textContent = verdict.safe ? `${verdict.reason}, judged` : "Judged";
  find("countdown-label").textContent = verdict.safe ? "Time left" : "Next safe window in";
  find("window-label").textContent = verdict.safe ? "This safe window" : "Next safe window";
  if (window_) {
    const [start, end] = [window_.start, window_.end].map((at) => timeElement(at, "day"));
    find("next-window").replaceChildren(...(verdict.safe ? ["now"] : [start]), " to ", end);
    target = Date.parse(verdict.safe ? window_.end : window_.start);
  } else {
    find("next-window").textContent = find("next-window").dataset.none;
    target = null;
  }
  find("countdown").parentElement.hidden = target === null;
  tick();
});

function tick() {
  find("countdown").textContent = target === null ? "–" : countdown(target - now());
}

setInterval(tick, 1000);
