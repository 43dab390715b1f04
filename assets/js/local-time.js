const TIME = { hour: "numeric", minute: "2-digit", timeZoneName: "short" };
const DAY_AND_TIME = { month: "short", day: "numeric", ...TIME };

/** <time datetime="..." data-local-time> shows the moment as the clock of this device has it, with its time zone. */
export function watchLocalTime() {
  showIn(document);
  document.addEventListener("htmx:load", (event) => showIn(event.detail.elt));
}

function showIn(root) {
  const found = [...root.querySelectorAll("time[data-local-time]")];
  if (root.matches?.("time[data-local-time]")) found.push(root);
  for (const element of found) {
    const moment = new Date(element.dateTime);
    const isToday = moment.toDateString() === new Date().toDateString();
    element.textContent = moment.toLocaleString(document.documentElement.lang, isToday ? TIME : DAY_AND_TIME);
  }
}
