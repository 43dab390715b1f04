/**
 * Checkboxes that belong to a form by form="id": data-choose-all="id" checks those that are shown,
 * data-choose-everyone="id" means all that match, and data-chosen-of="id" says how many are chosen.
 */
export function watchChoosing() {
  document.addEventListener("change", (event) => {
    const { chooseAll, chooseEveryone } = event.target.dataset;
    if (chooseAll) for (const box of boxesOf(chooseAll)) box.checked = event.target.checked;
    const form = chooseAll ?? chooseEveryone ?? event.target.form?.id;
    if (form && document.querySelector(`[data-chosen-of="${form}"]`)) show(form);
  });
}

function boxesOf(form) {
  return [...document.querySelectorAll(`input[type=checkbox][form="${form}"]`)];
}

function show(form) {
  const boxes = boxesOf(form);
  const chosen = boxes.filter((box) => box.checked).length;
  const all = document.querySelector(`[data-choose-all="${form}"]`);
  const everyone = document.querySelector(`[data-choose-everyone="${form}"]`).checked;
  all.checked = chosen > 0 && chosen === boxes.length;
  all.indeterminate = chosen > 0 && chosen < boxes.length;
  for (const box of [all, ...boxes]) box.disabled = everyone;
  const words = everyone || chosen === 0 ? "" : `${chosen} chosen`;
  document.querySelector(`[data-chosen-of="${form}"]`).textContent = words;
}
