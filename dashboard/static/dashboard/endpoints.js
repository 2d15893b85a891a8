// The endpoints of a run: the slowest as bars, all of them as a table.
import { figure } from "./format.js";
import { isBroken } from "./limits.js";

const SLOWEST = 7;

export function paintEndpoints(endpoints, limits) {
  if (!endpoints.length) return;
  const table = document.querySelector("[data-endpoints]");
  const byName = [...endpoints].sort((one, other) => one.name.localeCompare(other.name));
  table.replaceChildren(...byName.map((endpoint) => row(endpoint, limits)));
  paintBars(document.querySelector("[data-bars]"), endpoints, limits.p95);
}

function paintBars(list, endpoints, limit) {
  const slowest = endpoints
    .filter((endpoint) => endpoint.p95_ms !== null)
    .sort((one, other) => other.p95_ms - one.p95_ms)
    .slice(0, SLOWEST);
  const longest = Math.max(...slowest.map((endpoint) => endpoint.p95_ms));
  list.replaceChildren(...slowest.map((endpoint) => bar(endpoint, longest, limit)));
}

function bar(endpoint, longest, limit) {
  const item = document.createElement("li");
  const isOver = isBroken(limit, endpoint.p95_ms);
  item.className = isOver ? "over" : "";
  item.style.setProperty("--share", endpoint.p95_ms / longest);
  if (limit) item.style.setProperty("--limit", limit.value / longest);
  const value = figure(endpoint.p95_ms) + (isOver ? " over" : "");
  item.append(textIn("span", endpoint.name), document.createElement("i"), textIn("b", value));
  return item;
}

function row(endpoint, limits) {
  const share = endpoint.requests ? (100 * endpoint.errors) / endpoint.requests : null;
  const element = document.createElement("tr");
  const name = textIn("th", endpoint.name);
  name.scope = "row";
  element.append(
    name,
    number(endpoint.requests),
    number(endpoint.errors),
    number(share, isBroken(limits.errors, share)),
    number(endpoint.p50_ms, isBroken(limits.p50, endpoint.p50_ms)),
    number(endpoint.p95_ms, isBroken(limits.p95, endpoint.p95_ms)),
    number(endpoint.p99_ms, isBroken(limits.p99, endpoint.p99_ms)),
  );
  return element;
}

function number(value, isOver = false) {
  const cell = textIn("td", figure(value));
  cell.className = isOver ? "number over" : "number";
  if (isOver) cell.title = "over the limit";
  return cell;
}

export function textIn(tag, text) {
  return Object.assign(document.createElement(tag), { textContent: text });
}
