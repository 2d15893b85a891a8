// The endpoints of a run: the slowest as bars, all of them as a table.
import { count, figure } from "./format.js";
import { isBroken } from "./limits.js";

const SLOWEST = 7;

export function paintEndpoints({ endpoints, target, ended_at: endedAt }, limits) {
  const known = endpoints.map((endpoint) => ({ ...endpoint, short: shorten(endpoint.name, target) }));
  paintBars(document.querySelector("[data-bars]"), known, limits.p95, Boolean(endedAt));
  if (!known.length) return;
  const byName = known.sort((one, other) => one.name.localeCompare(other.name));
  const table = document.querySelector("[data-endpoints]");
  table.replaceChildren(...byName.map((endpoint) => row(endpoint, limits)));
}

/** `GET http://127.0.0.1:9000/timeline` is `GET /timeline` where that is the target. */
function shorten(name, target) {
  const base = target.replace(/\/+$/, "");
  const at = base ? name.indexOf(base) : -1;
  const path = name.slice(at + base.length);
  if (at < 0 || !/^(?:$|[/?#])/.test(path)) return name;
  return name.slice(0, at) + (path.startsWith("/") ? path : `/${path}`);
}

function paintBars(list, endpoints, limit, isOver) {
  const slowest = endpoints
    .filter((endpoint) => endpoint.p95_ms !== null)
    .sort((one, other) => other.p95_ms - one.p95_ms)
    .slice(0, SLOWEST);
  const longest = Math.max(...slowest.map((endpoint) => endpoint.p95_ms));
  const nothing = isOver ? "Nothing was answered." : "Nothing has been answered yet.";
  const none = Object.assign(textIn("li", nothing), { className: "none" });
  const bars = slowest.map((endpoint) => bar(endpoint, longest, limit));
  list.replaceChildren(...(bars.length ? bars : [none]));
}

function bar(endpoint, longest, limit) {
  const item = document.createElement("li");
  const isOver = isBroken(limit, endpoint.p95_ms);
  item.className = isOver ? "over" : "";
  item.style.setProperty("--share", endpoint.p95_ms / longest);
  if (limit) item.style.setProperty("--limit", limit.value / longest);
  const name = textIn("span", endpoint.short);
  name.title = endpoint.name;
  const value = figure(endpoint.p95_ms) + (isOver ? " over" : "");
  item.append(name, document.createElement("i"), textIn("b", value));
  return item;
}

function row(endpoint, limits) {
  const share = endpoint.requests ? (100 * endpoint.errors) / endpoint.requests : null;
  const element = document.createElement("tr");
  const name = textIn("th", endpoint.short);
  name.scope = "row";
  name.title = endpoint.name;
  const time = (key) => ({
    text: figure(endpoint[`${key}_ms`]),
    unit: ` ms ${key}`,
    isOver: isBroken(limits[key], endpoint[`${key}_ms`]),
    isFine: key !== "p95",
  });
  element.append(
    name,
    number({ text: count(endpoint.requests), unit: endpoint.requests === 1 ? " request" : " requests" }),
    number({ text: count(endpoint.errors), unit: endpoint.errors === 1 ? " error" : " errors" }),
    number({ text: figure(share), unit: " % errors", isOver: isBroken(limits.errors, share), isFine: true }),
    ...["p50", "p95", "p99"].map((key) => number(time(key))),
  );
  return element;
}

/** `unit` is for phones, which have no header; what `isFine` they show only where it is over. */
function number({ text, unit, isOver = false, isFine = false }) {
  const cell = textIn("td", text);
  cell.className = `number${isOver ? " over" : ""}${isFine ? " fine" : ""}`;
  cell.dataset.unit = unit;
  if (isOver) cell.title = "over the limit";
  return cell;
}

export function textIn(tag, text) {
  return Object.assign(document.createElement(tag), { textContent: text });
}
