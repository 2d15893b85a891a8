// Stop: asked once, naming the test; always allowed; confirmed by "0 processes left".
import { Problem, post } from "./api.js";

export function offerStop(run, onAsked) {
  const button = document.querySelector("[data-stop]");
  const dialog = document.querySelector("[data-stop-dialog]");
  if (!button || !dialog) return;
  button.addEventListener("click", () => dialog.showModal());
  dialog.addEventListener("close", async () => {
    if (dialog.returnValue !== "stop") return;
    dialog.returnValue = "";
    sayStopping();
    try {
      await post(`${run.links.self}/stop`, {});
      onAsked();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      button.disabled = false;
      button.textContent = "Stop the test";
      document.querySelector("[data-stopped]").textContent = `Not stopped: ${problem.message}`;
    }
  });
}

export function sayStopping() {
  const button = document.querySelector("[data-stop]");
  if (!button) return;
  button.disabled = true;
  button.textContent = "Stopping...";
}

export function withdrawStop() {
  document.querySelector("[data-stop-dialog]")?.close();
  for (const element of document.querySelectorAll(".run-act .button, [data-stop]")) {
    element.hidden = true;
  }
}
