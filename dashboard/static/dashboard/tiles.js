// The five tiles: a figure, its last minute as a sparkline, its distance to the threshold.
import { count, figure } from "./format.js";
import { distance } from "./limits.js";
import { FIELDS } from "./seconds.js";

const MINUTE = 60;
const WIDTH = 120;
const HEIGHT = 32;

/** `word` is a second of the run, or the totals of the whole run. */
export function paintTiles({ word, seconds, limits, asked, isOver }) {
  for (const tile of document.querySelectorAll("[data-tile]")) {
    const key = tile.dataset.tile;
    const value = word ? FIELDS[key](word) : null;
    tile.querySelector("[data-value]").textContent = figure(value);
    const count = isOver ? Infinity : MINUTE;
    tile.querySelector("[data-spark] path").setAttribute("d", trace(seconds.tail(key, count)));
    if (key === "users") paintLimit(tile, usersSaid(asked));
    else paintLimit(tile, distance(limits[key], value));
  }
}

function usersSaid(asked) {
  const said = asked ? `of ${count(asked)} asked for` : "as many as the script says";
  return { said, share: 0, state: "none" };
}

function paintLimit(tile, { said, share, state }) {
  tile.dataset.near = state;
  tile.style.setProperty("--share", share);
  tile.querySelector("[data-limit]").textContent = said;
}

function trace(values) {
  const highest = Math.max(1e-9, ...values.filter((value) => value !== null));
  const step = WIDTH / Math.max(values.length - 1, 1);
  let isDrawing = false;
  const path = values.map((value, index) => {
    if (value === null) {
      isDrawing = false;
      return "";
    }
    const y = HEIGHT - 2 - (value / highest) * (HEIGHT - 4);
    const letter = isDrawing ? "L" : "M";
    isDrawing = true;
    return `${letter}${(index * step).toFixed(1)} ${y.toFixed(1)}`;
  });
  return path.join("");
}
