// Numbers and times as a person reads them; templatetags/words.py says the same on the server.
import { now } from "./clock.js";

const THIN = "\u202f";
const NBSP = "\u00a0";
export const NONE = "–";
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const WEEK_MS = 6 * 24 * 3600 * 1000;

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0, roundingMode: "halfEven" });
const SMALL = new Intl.NumberFormat("en", { maximumSignificantDigits: 3, roundingMode: "halfEven" });

/** A measured number: whole from 100 on, else three significant digits: 1 001, 38.2, 0.4. */
export function figure(value) {
  if (!isNumber(value)) return NONE;
  return Math.abs(value) < 100 ? SMALL.format(value) : count(value);
}

/** A whole number, exact, thousands apart: 1 956. */
export function count(value) {
  return isNumber(value) ? WHOLE.format(value).replaceAll(",", THIN) : NONE;
}

function isNumber(value) {
  return typeof value === "number" && !Number.isNaN(value);
}

export function withUnit(value, unit) {
  const space = unit === "" || unit === "/s" ? "" : NBSP;
  return `${figure(value)}${space}${unit}`;
}

export function percent(share) {
  return share === null || share === undefined ? null : share * 100;
}

/** Milliseconds as `1 d 04:12:33` or `04:12:33`, for a countdown. */
export function countdown(span) {
  const seconds = Math.max(0, Math.floor(span / 1000));
  const pad = (number) => String(number).padStart(2, "0");
  const days = Math.floor(seconds / 86400);
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  return (days ? `${days}${NBSP}d${NBSP}` : "") + clock.map(pad).join(":");
}

/** Milliseconds as `1 min 30 s`. */
export function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const parts = [
    [Math.floor(seconds / 86400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const said = parts.filter(([number]) => number).map(([number, unit]) => number + NBSP + unit);
  return said.join(" ") || `0${NBSP}s`;
}

/** `PT1H30M` in milliseconds. */
export function readDuration(text) {
  const found = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(text);
  if (!found) return 0;
  const [days, hours, minutes, seconds] = found.slice(1).map((part) => Number(part || 0));
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
}

const FORMS = {
  clock: (at) => clockOf(at, true),
  short: (at) => `${Math.abs(at - now()) < WEEK_MS ? weekday(at) : dayOf(at)} ${clockOf(at)}`,
  day: (at) => `${dayOf(at)}, ${clockOf(at)}`,
  long: (at) => `${dayOf(at, true)}, ${clockOf(at)} ${placeOf(at)}`,
};

/** A time in the viewer's zone; forms: clock, short, day, long. */
export function time(at, form) {
  return FORMS[form](at instanceof Date ? at : new Date(at));
}

export function timeElement(iso, form) {
  const element = document.createElement("time");
  element.dateTime = iso;
  element.dataset.form = form;
  element.textContent = time(iso, form);
  return element;
}

export function localise(root) {
  for (const element of root.querySelectorAll("time[data-form]")) {
    element.textContent = time(element.dateTime, element.dataset.form);
    element.title = `${new Date(element.dateTime).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  }
}

/** `Europe/Berlin (GMT+2)`, or `UTC`. */
export function zoneName(at) {
  const offset = parts(at, { timeZoneName: "shortOffset" }).timeZoneName;
  return ZONE === "UTC" ? ZONE : `${ZONE} (${offset})`;
}

function weekday(at) {
  return parts(at, { weekday: "short" }).weekday;
}

export function dayOf(at, withYear = false) {
  const { day, month, year } = parts(at, { day: "numeric", month: "short", year: "numeric" });
  return `${weekday(at)} ${day} ${month}${withYear ? ` ${year}` : ""}`;
}

function clockOf(at, withSeconds = false) {
  const second = withSeconds ? { second: "2-digit" } : {};
  const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...second };
  const found = parts(at, options);
  return [found.hour, found.minute, found.second].filter(Boolean).join(":");
}

/** `Berlin (12:00 UTC)`; the day too where it is another one in UTC. */
function placeOf(at) {
  if (ZONE === "UTC") return "UTC";
  const utc = at.toUTCString().replace(/,|:\d\d GMT/g, "");
  const isSameDay = at.getDate() === at.getUTCDate();
  const city = ZONE.split("/").at(-1).replaceAll("_", " ");
  return `${city} (${isSameDay ? utc.slice(-5) : utc.replace(/ \d{4} /, " ")} UTC)`;
}

function parts(at, options) {
  const formatter = new Intl.DateTimeFormat("en-GB", options);
  return Object.fromEntries(formatter.formatToParts(at).map((part) => [part.type, part.value]));
}
