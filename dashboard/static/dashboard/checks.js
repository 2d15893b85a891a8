// What would be a failure: how near each threshold is while the test runs, and what became of it.
import { textIn } from "./endpoints.js";

const HELD = { true: "held", false: "broken", null: "no data" };

/** The verdict's: `checks` of { text, measured, held }. */
export function paintChecks(checks, outcome) {
  const isJudged = outcome === "passed" || outcome === "failed";
  say(isJudged ? "judged over the whole run" : `until the run was ${outcome}`);
  show(checks.map(({ text, measured, held }) => row(text, measured, badge(HELD[held], held))));
}

/** Live: `heat` of { threshold, measured, said, share, broken }, with each closed second. */
export function paintHeat(heat) {
  if (!heat?.length) return;
  say("so far");
  show(heat.map((one) => row(one.threshold, one.measured, meter(one))));
}

function show(rows) {
  document.querySelector("[data-checks]").hidden = rows.length === 0;
  document.querySelector("[data-checks-body]").replaceChildren(...rows);
}

function say(words) {
  document.querySelector("[data-checks-said]").textContent = words;
}

function row(text, measured, ...outcome) {
  const element = document.createElement("tr");
  const number = textIn("td", measured);
  number.className = "number";
  const last = textIn("td", "");
  last.append(...outcome);
  element.append(textIn("td", text), number, last);
  return element;
}

function badge(words, held) {
  const element = textIn("span", words);
  element.className = "check";
  element.dataset.held = String(held);
  return element;
}

/** A bar that fills as the threshold comes near, with the same in words. */
function meter({ said, share, broken: isBroken }) {
  const element = document.createElement("span");
  element.className = "heat-of";
  element.dataset.near = isBroken ? "broken" : share > 0.8 ? "near" : "good";
  const bar = document.createElement("i");
  bar.className = "bar";
  bar.style.setProperty("--share", share);
  bar.append(document.createElement("i"));
  element.append(bar, isBroken ? badge(said, false) : textIn("span", said));
  return element;
}
