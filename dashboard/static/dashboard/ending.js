// What a run's page says once the run is over, and of its state until then.
import { paintChecks } from "./checks.js";
import { timeElement } from "./format.js";

const WAITING = ["scheduled", "queued"];
const OPEN = [...WAITING, "requested", "preparing", "ready", "running", "stopping"];

export function isOver(run) {
  return !OPEN.includes(run.state);
}

export function isWaiting(run) {
  return WAITING.includes(run.state);
}

export function paintState(run) {
  const state = document.querySelector(".run-meta [data-state]");
  if (state.dataset.state !== run.state) {
    state.dataset.state = state.textContent = run.state;
    document.title = `${run.name}: ${run.state} · WedSync load tests`;
  }
  document.querySelector("[data-tool-version]").textContent = run.tool_version;
  document.querySelector("[data-latency-kind]").textContent = run.latency_kind;
  const began = document.querySelector("[data-began]");
  began.replaceChildren(timeElement(run.started_at || run.created_at, "day"));
  document.querySelector("[data-log-card]").hidden = (isOver(run) || isWaiting(run)) && !run.log_tail;
  paintLog(run.log_tail);
}

export function paintVerdict(run) {
  if (!run.verdict) return;
  const { outcome, reason, checks = [] } = run.verdict;
  const card = document.querySelector("[data-verdict]");
  card.dataset.outcome = outcome;
  card.hidden = false;
  const sentence = `${outcome[0].toUpperCase()}${outcome.slice(1)}: ${reason}`;
  card.querySelector("[data-verdict-sentence]").textContent = sentence;
  paintChecks(checks, outcome);
  if (outcome === "aborted" && run.processes_left !== null) {
    const left = run.processes_left === 1 ? "1 process" : `${run.processes_left} processes`;
    document.querySelector("[data-stopped]").textContent = `Stopped: ${left} left`;
  }
}

function paintLog(text) {
  const log = document.querySelector("[data-log]");
  if (!text || log.textContent === text) return;
  const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
  log.textContent = text;
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}
