// What a run's thresholds mean for a figure on the page: `p95 > 800ms` is a limit of 800 ms.
import { figure, withUnit } from "./format.js";

// Marks for the alerts stand before it, a time frame and what follows behind it.
const MARKS = /^\s*(?:wedding-critical\b\s*:?|feature\b[^:]*:|\s)*/;
const THRESHOLD =
  /^(p\d+(?:\.\d+)?|errors|rps)\s*([<>])=?\s*([\d.]+)\s*(ms|s|%)?\s*((?:for|over)\s+\S+?)?\s*(?:,.*)?$/;
const UNITS = { errors: "%", rps: "/s" };
const NEAR = 0.8;

export function readLimits(thresholds) {
  const limits = {};
  for (const text of thresholds) {
    const found = THRESHOLD.exec(text.replace(MARKS, ""));
    if (!found) continue;
    const [, subject, operator, number, unit, frame = ""] = found;
    if (frame && limits[subject]) continue; // one about the whole run says more here
    const value = Number(number) * (unit === "s" ? 1000 : 1);
    limits[subject] = { value, isUpper: operator === ">", unit: UNITS[subject] ?? "ms", frame };
  }
  return limits;
}

export function isBroken(limit, value) {
  // Over a time frame only the judge knows, who sees every second.
  if (!limit || limit.frame || value === null || value === undefined) return false;
  return limit.isUpper ? value > limit.value : value < limit.value;
}

/** The distance from a figure to its limit: words, a share of 1 for a bar, and how near it is. */
export function distance(limit, value) {
  if (!limit) return { said: "no limit was set", share: 0, state: "none" };
  const whole = withUnit(limit.value, limit.unit);
  if (limit.frame) return { said: `limit ${whole} ${limit.frame}`, share: 0, state: "none" };
  if (value === null || value === undefined) {
    return { said: `limit ${whole}`, share: 0, state: "none" };
  }
  const share = limit.isUpper ? value / limit.value : limit.value / Math.max(value, 1e-9);
  const isBad = isBroken(limit, value);
  const state = isBad ? "broken" : share > NEAR ? "near" : "good";
  return { said: `${room(limit, value)} the limit of ${whole}`, share: Math.min(share, 1), state };
}

/** `767 ms below`; between two percentages `0.7 points below`, which no one takes for a share. */
function room(limit, value) {
  if (value === limit.value) return "at";
  const apart = Math.abs(limit.value - value);
  const points = `${figure(apart)} point${figure(apart) === "1" ? "" : "s"}`;
  const said = limit.unit === "%" ? points : withUnit(apart, limit.unit);
  return `${said} ${value > limit.value ? "over" : "below"}`;
}
