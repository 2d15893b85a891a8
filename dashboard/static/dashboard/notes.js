// Tags and notes of a run, changed where they stand.
import { Problem, patch } from "./api.js";

const card = document.querySelector("[data-notes]");
const form = card.querySelector("[data-notes-form]");

if (form) {
  card.querySelector("[data-notes-edit]").addEventListener("click", () => open(true));
  card.querySelector("[data-notes-cancel]").addEventListener("click", () => {
    form.reset();
    open(false);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keep();
  });
}

function open(isOpen) {
  form.hidden = !isOpen;
  card.querySelector("[data-notes-shown]").hidden = isOpen;
  card.querySelector("[data-notes-edit]").hidden = isOpen;
  if (isOpen) form.elements.notes.focus();
}

async function keep() {
  const tags = form.elements.tags.value.split(",").map((tag) => tag.trim()).filter(Boolean);
  const problem = form.querySelector("[data-notes-problem]");
  problem.hidden = true;
  try {
    await patch(card.dataset.notes, { tags, notes: form.elements.notes.value });
    location.reload();
  } catch (caught) {
    if (!(caught instanceof Problem)) throw caught;
    const { errors = {} } = caught.document;
    problem.textContent = Object.values(errors).flat(2).join(" ") || caught.message;
    problem.hidden = false;
  }
}
