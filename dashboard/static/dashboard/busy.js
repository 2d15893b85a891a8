// A button at work: it says so, cannot be pressed again, and comes back with what went wrong.
import { Problem } from "./api.js";

/** `tell(problem)` shows a Problem, `tell(null)` none; the calendar's refusal has a page of its own. */
export async function busy(button, words, act, tell) {
  const before = button.textContent;
  button.disabled = true;
  button.textContent = words;
  tell(null);
  try {
    await act();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.document.code === "calendar_refused") {
      location.assign(`/runs/${problem.document.run}/`);
      return;
    }
    tell(problem);
    button.disabled = false;
    button.textContent = before;
    if (document.activeElement === document.body) button.focus({ preventScroll: true });
  }
}
