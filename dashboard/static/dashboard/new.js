// Ask for a test: the form, the example scripts, the saved plans, and the guard's answer for this duration.
import { get, post } from "./api.js";
import { busy } from "./busy.js";
import { sayVerdict } from "./guard.js";

const RUNS = "/api/load-testing/runs";
const DRAFT = "test being written";
const form = document.querySelector("[data-new]");
let key = crypto.randomUUID();
let asking = 0;

if (form) {
  const examples = JSON.parse(document.getElementById("examples").textContent);
  for (const button of document.querySelectorAll("[data-example]")) {
    button.addEventListener("click", () => fill(examples.find(({ tool }) => tool === button.dataset.example)));
  }
  for (const button of document.querySelectorAll("[data-plan]")) {
    button.addEventListener("click", () => start(button, { plan: button.dataset.plan }));
  }
  form.addEventListener("input", keepDraft);
  form.elements.minutes.addEventListener("input", askGuard);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    start(document.querySelector("[data-start]"), read());
  });
  document.querySelector("[data-save]")?.addEventListener("click", save);
  const again = JSON.parse(document.getElementById("again").textContent);
  if (again) fill(again);
  else restoreDraft();
  askGuard();
}

/** What was typed last comes back on the next visit, but for the length that a link asks for. */
function restoreDraft() {
  const draft = JSON.parse(sessionStorage.getItem(DRAFT) ?? "{}");
  for (const [name, value] of Object.entries(draft)) form.elements[name].value = value;
  const { asked } = form.elements.minutes.dataset;
  if (asked) form.elements.minutes.value = asked;
}

function keepDraft() {
  key = crypto.randomUUID();
  sessionStorage.setItem(DRAFT, JSON.stringify(Object.fromEntries(new FormData(form))));
}

function fill(example) {
  for (const name of ["name", "tool", "script", "users", "minutes"]) {
    form.elements[name].value = example[name];
  }
  form.elements.thresholds.value = example.thresholds.join("\n");
  if (example.target) form.elements.target.value = example.target;
  keepDraft();
  askGuard();
  if (!form.elements.target.value) form.elements.target.focus();
}

function read() {
  const words = Object.fromEntries(new FormData(form));
  const lines = words.thresholds.split("\n").map((line) => line.trim());
  return {
    name: words.name.trim(),
    tool: words.tool,
    target: words.target.trim(),
    script: words.script,
    duration: duration(),
    users: words.users ? Number(words.users) : null,
    thresholds: lines.filter(Boolean),
  };
}

function duration() {
  return `PT${Math.max(1, Math.round(Number(form.elements.minutes.value) * 60))}S`;
}

async function start(button, request) {
  await busy(button, "Starting...", async () => {
    const run = await post(RUNS, request, { "Idempotency-Key": request.plan ? crypto.randomUUID() : key });
    location.assign(run.links.page);
  }, explain);
}

async function save(event) {
  await busy(event.target, "Saving...", async () => {
    await post("/api/load-testing/plans", read());
    location.reload();
  }, explain);
}

/** Each sentence beside its field; one above the form for what has no field. */
function explain(problem) {
  const errors = problem?.document.errors ?? {};
  const unplaced = [];
  for (const place of form.querySelectorAll("[data-error]")) place.textContent = "";
  for (const [name, sentences] of Object.entries(errors)) {
    const place = form.querySelector(`[data-error="${name}"]`);
    if (place) place.textContent = [sentences].flat(2).join(" ");
    else unplaced.push([sentences].flat(2).join(" "));
  }
  const isPlaced = Object.keys(errors).length > unplaced.length;
  const above = form.querySelector("[data-problem]");
  const sentence = unplaced.join(" ") || (problem?.message ?? "");
  above.textContent = isPlaced ? "Nothing was started or saved: see the fields below." : sentence;
  above.hidden = !above.textContent;
  if (isPlaced) firstWrong().focus();
  else if (problem) above.scrollIntoView({ block: "center" });
}

function firstWrong() {
  const place = form.querySelector("[data-error]:not(:empty)");
  return place.closest(".field").querySelector("input, select, textarea");
}

async function askGuard() {
  const mine = (asking += 1);
  const verdict = await get(`/api/load-testing/window?duration=${duration()}`).catch(() => null);
  if (!verdict || mine !== asking) return;
  document.querySelector("[data-answer]").dataset.safe = String(verdict.safe);
  sayVerdict(document.querySelector("[data-answer-sentence]"), verdict);
}
