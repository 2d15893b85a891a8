// The seven-day strip: protected spans hatched, safe ones plain, weddings below, the asked interval outlined.
import { now } from "./clock.js";
import { dayOf, time } from "./format.js";

const DAYS = 7;

export function drawStrip(element, week) {
  const midnights = listMidnights(new Date(week.at));
  const [start, end] = [midnights[0].getTime(), midnights[DAYS].getTime()];
  const place = (from, until) => {
    const [left, right] = [from, until].map((at) => Math.min(Math.max(at, start), end));
    const share = (milliseconds) => `${(100 * milliseconds) / (end - start)}%`;
    return { left: share(left - start), width: share(right - left), isSeen: right > left };
  };
  const spans = week.spans.map((span) => ({ ...span, ...times(span) }));
  const weddings = spans.filter((span) => span.rule === "wedding");
  element.replaceChildren(
    ...midnights.slice(0, DAYS).map((day, index) => dayBox(day, place(day, midnights[index + 1]))),
    ...merge(spans).map((span) => box("protected", place(span.start, span.stop), said(span))),
    ...weddings.map((span) => box("wedding", place(span.start, span.stop), span.what)),
    ...(week.asked ? [askedBox(week.asked, place)] : []),
    nowMark(place(now(), now() + 1)),
  );
}

function listMidnights(at) {
  return Array.from({ length: DAYS + 1 }, (_, index) => {
    return new Date(at.getFullYear(), at.getMonth(), at.getDate() + index);
  });
}

/** What nobody knows the end of goes on to the strip's. */
function times(span) {
  return { start: Date.parse(span.from), stop: span.until === null ? Infinity : Date.parse(span.until) };
}

function merge(spans) {
  const merged = [];
  for (const span of [...spans].sort((one, other) => one.start - other.start)) {
    const last = merged.at(-1);
    if (last && span.start <= last.stop) {
      last.stop = Math.max(last.stop, span.stop);
      last.what.add(span.what);
    } else {
      merged.push({ start: span.start, stop: span.stop, what: new Set([span.what]) });
    }
  }
  return merged;
}

function said(span) {
  return [...span.what].join("\n");
}

function box(kind, { left, width, isSeen }, title) {
  const element = document.createElement("i");
  element.className = kind;
  Object.assign(element.style, { left, width });
  element.title = title;
  element.hidden = !isSeen;
  return element;
}

function dayBox(day, where) {
  const element = box("day", where, dayOf(day));
  const [name, ...date] = dayOf(day).split(" ");
  const label = document.createElement("b");
  label.append(name, " ", Object.assign(document.createElement("span"), { textContent: date.join(" ") }));
  element.append(label);
  return element;
}

function askedBox(asked, place) {
  const { start, stop } = times(asked);
  return box("asked", place(start, stop), `Asked for: ${time(start, "day")} to ${time(stop, "day")}`);
}

function nowMark(where) {
  return box("now", where, "now");
}
