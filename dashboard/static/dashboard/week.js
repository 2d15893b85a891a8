// Draws the page's seven-day strip and keeps its "now" in place.
import { now } from "./clock.js";
import { drawStrip } from "./strip.js";

const element = document.querySelector("[data-strip]");

function draw() {
  drawStrip(element, JSON.parse(document.getElementById("week").textContent));
  for (const row of document.querySelectorAll(".spans [data-until]")) {
    row.hidden = row.dataset.until !== "" && Date.parse(row.dataset.until) < now();
  }
}

draw();
setInterval(draw, 60_000);
document.addEventListener("fresh", draw);
