// What may be done with a plan: start it, choose the run that others are compared with.
import { Problem, post, put } from "./api.js";

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
  });
}

async function choose(button) {
  const { baseline, baselinePlan } = button.dataset;
  await busy(button, "Saving...", async () => {
    await put(`/api/load-testing/plans/${baselinePlan}/baseline`, { run: baseline || null });
    location.reload();
  });
}

async function busy(button, words, act) {
  const before = button.textContent;
  const problem = document.querySelector("[data-problem]");
  button.disabled = true;
  button.textContent = words;
  problem.hidden = true;
  try {
    await act();
  } catch (caught) {
    if (!(caught instanceof Problem)) throw caught;
    if (caught.document.code === "calendar_refused") {
      location.assign(`/runs/${caught.document.run}/`);
      return;
    }
    problem.textContent = caught.message;
    problem.hidden = false;
    button.disabled = false;
    button.textContent = before;
  }
}
