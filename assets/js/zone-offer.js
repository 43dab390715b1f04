/**
 * <select data-zone-of="id of the country"> follows the country that somebody chooses; with
 * data-offer both begin with the place of the browser.
 */
export function offerZones() {
  for (const zones of document.querySelectorAll("select[data-zone-of]")) {
    const country = document.getElementById(zones.dataset.zoneOf);
    const places = [...zones.options];
    if ("offer" in zones.dataset) {
      const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
      const here = places.find((option) => option.value === own && option.dataset.country);
      if (here) {
        country.value = here.dataset.country;
        zones.value = own;
      }
    }
    country.addEventListener("change", () => {
      if (zones.selectedOptions[0]?.dataset.country === country.value) return;
      const main = places.find((option) => option.dataset.country === country.value && "main" in option.dataset);
      if (main) zones.value = main.value;
    });
  }
}
