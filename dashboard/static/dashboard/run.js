// The page of one run: live while it runs, its history once it is over.
import { follow } from "streaming/live.js";
import { Problem, get } from "./api.js";
import { makeCharts } from "./charts.js";
import { now } from "./clock.js";
import { paintHeat } from "./checks.js";
import { isOver, isWaiting, paintState, paintVerdict } from "./ending.js";
import { paintEndpoints } from "./endpoints.js";
import { readDuration, span } from "./format.js";
import { refreshVerdict } from "./guard.js";
import { isBroken, readLimits } from "./limits.js";
import { Seconds } from "./seconds.js";
import { offerStop, sayStopping, withdrawStop } from "./stop.js";
import { paintTiles } from "./tiles.js";

const REDRAW_MS = 250;
const POLL_MS = 2000;
const STALE_MS = 2500;

let run = JSON.parse(document.getElementById("run").textContent);
const seconds = new Seconds();
const limits = readLimits(run.thresholds);
const charts = makeCharts({
  root: document.querySelector("[data-charts]"),
  seconds,
  limits,
  moments,
  isLive: () => !isOver(run),
});
let heardAt = null;
let link = "live";
let isDirty = true;

function hear(word) {
  seconds.put(word);
  heardAt = performance.now();
  isDirty = true;
  if (!isOver(run)) paintHeat(word.thresholds);
}

function draw() {
  if (!isDirty || document.hidden) return;
  isDirty = false;
  const word = isOver(run) ? run.totals : seconds.latest();
  paintTiles({ word, seconds, limits, asked: run.users, isOver: isOver(run) });
  charts.draw();
  document.querySelector("[data-caption]").textContent = caption();
}

function caption() {
  if (isOver(run)) return "The whole run";
  return seconds.latest() ? "The last second" : "The first figures come two seconds after the first request";
}

function paintRun() {
  const over = isOver(run);
  paintState(run);
  paintVerdict(run);
  paintEndpoints(run, limits);
  if (run.state === "stopping") sayStopping();
  if (over) {
    withdrawStop();
    for (const part of document.querySelectorAll("[data-when-begun]")) part.hidden = !run.started_at;
  }
  isDirty = true;
  tick();
}

/** What changes with time alone: elapsed of planned, and the badge when nothing comes. */
function tick() {
  const planned = readDuration(run.duration);
  const end = run.ended_at ? Date.parse(run.ended_at) : now();
  const elapsed = run.started_at ? end - Date.parse(run.started_at) : 0;
  const share = Math.min(1, Math.max(0, elapsed / planned));
  const bar = document.querySelector("[data-progress]");
  bar.style.setProperty("--share", share);
  bar.setAttribute("aria-valuenow", Math.round(100 * share));
  document.querySelector("[data-elapsed]").textContent = run.started_at ? span(elapsed) : "–";
  paintStale(isOver(run) ? "" : staleness());
}

function staleness() {
  if (run.state !== "running") return "";
  const silence = heardAt === null ? 0 : performance.now() - heardAt;
  if (link === "reconnecting") return "reconnecting";
  return silence > STALE_MS ? `stale ${Math.floor(silence / 1000)} s` : "";
}

function paintStale(text) {
  const badge = document.querySelector("[data-stale]");
  badge.textContent = text;
  badge.hidden = !text;
}

function moments() {
  const marks = [];
  const broken = ["p95", "p99"].find((name) => limits[name]);
  if (broken) {
    const at = seconds.firstWhere((word) => isBroken(limits[broken], word[`${broken}_ms`]));
    if (at !== undefined) marks.push({ at, text: `${broken} over its limit` });
  }
  if (run.verdict?.outcome === "aborted" && run.ended_at) {
    marks.push({ at: Date.parse(run.ended_at) / 1000, text: "stopped" });
  }
  return marks;
}

async function refresh() {
  const before = run.state;
  const wasWaiting = isWaiting(run);
  try {
    run = await get(run.links.self);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return;
  }
  if (run.state !== before) refreshVerdict();
  // Another page: its charts need the room that a test which waits does not have.
  if (wasWaiting && !isWaiting(run)) return location.reload();
  paintRun();
  if (isOver(run)) {
    document.dispatchEvent(new CustomEvent("stale"));
    await recall();
  }
}

/** The closed seconds that are kept: everything, also what a late or interrupted reader missed. */
async function recall() {
  const { points } = await get(run.links.metrics).catch(() => ({ points: [] }));
  points.forEach((word) => seconds.put({ ...word, final: true }));
  const isEmpty = isOver(run) && seconds.isEmpty;
  document.querySelector("[data-nothing]").hidden = !isEmpty || !run.log_tail;
  document.querySelector("[data-charts]").hidden = isEmpty || isWaiting(run) || run.is_dry;
  isDirty = true;
  draw();
}

/** What ends a run may be the calendar: its pill must not stay behind the verdict. */
function hearEnd() {
  refreshVerdict();
  return refresh();
}

function goLive() {
  follow(run.id, {
    onUpdate: hear,
    onEnd: hearEnd,
    onRefused: hearEnd,
    onState: (state) => {
      link = state;
    },
  });
  const poll = setInterval(async () => {
    if (isOver(run)) clearInterval(poll);
    else if (!document.hidden) await refresh();
  }, POLL_MS);
  offerStop(run, refresh);
}

paintRun();
recall();
if (!isOver(run)) goLive();
setInterval(draw, REDRAW_MS);
setInterval(tick, 500);
document.addEventListener("visibilitychange", () => (document.hidden ? undefined : refresh()));
