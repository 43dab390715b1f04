const ONE_YEAR = 60 * 60 * 24 * 365;

/** Value of a preference cookie, or the fallback when it was never set. */
export function readPreference(name, fallback) {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : fallback;
}

/** Remembers a preference for a year; the server may read it too. */
export function writePreference(name, value) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie =
    `${name}=${encodeURIComponent(value)}; path=/; max-age=${ONE_YEAR}; samesite=lax${secure}`;
}
