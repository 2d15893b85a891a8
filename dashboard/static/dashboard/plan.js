// What may be done with a plan: start it, choose the run that others are compared with.
import { post, put } from "./api.js";
import { busy } from "./busy.js";

document.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (button?.dataset.planStart) start(button);
  else if (button?.dataset.baselinePlan) choose(button);
});

async function start(button) {
  await busy(button, "Starting...", async () => {
    const key = { "Idempotency-Key": crypto.randomUUID() };
    const run = await post("/api/load-testing/runs", { plan: button.dataset.planStart }, key);
    location.assign(run.links.page);
  }, tell);
}

async function choose(button) {
  const { baseline, baselinePlan } = button.dataset;
  await busy(button, "Saving...", async () => {
    await put(`/api/load-testing/plans/${baselinePlan}/baseline`, { run: baseline || null });
    location.reload();
  }, tell);
}

function tell(problem) {
  const place = document.querySelector("[data-problem]");
  place.textContent = problem?.message ?? "";
  place.hidden = !problem;
}
