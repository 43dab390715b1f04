import { toast } from "./toasts.js";

/** data-copy="text" or data-copy-from="id" puts a text on the clipboard and says so. */
export function watchCopy() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (!button) return;
    const copied = await copyText(button.dataset.copy ?? textOf(button.dataset.copyFrom), button);
    if (copied) toast("Copied.", "good");
    else toast("The browser did not allow copying. Select the text and copy it by hand.", "bad");
  });
}

function textOf(id) {
  const source = document.getElementById(id);
  return "value" in source ? source.value : source.textContent.trim();
}

async function copyText(text, button) {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(() => true, () => false);
  }
  return copyBySelection(text, button);
}

/** Browsers offer navigator.clipboard on https and localhost only. */
function copyBySelection(text, button) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  (button.closest("dialog") ?? document.body).append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  button.focus();
  return copied;
}
