import { toast } from "./toasts.js";

/**
 * Forms that a passkey fills in before they are sent:
 *   data-passkey="create" or "get"     what the browser is asked for
 *   data-passkey-options="{...}"       what the server says about it, as JSON
 *   data-passkey-options-from="/path"  or where that is fetched when the button is pressed
 * The answer goes into the field named "credential". Where there are no passkeys the form is hidden, and
 * [data-passkey-missing] says why.
 */
export function watchPasskeys() {
  const possible = "credentials" in navigator && "PublicKeyCredential" in window && hasName();
  for (const form of document.querySelectorAll("form[data-passkey]")) form.hidden = !possible;
  for (const note of document.querySelectorAll("[data-passkey-missing]")) note.hidden = possible;
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.matches("[data-passkey]")) return;
    event.preventDefault();
    await ask(form);
  });
}

/** Browsers make no passkeys for an address of numbers. */
function hasName() {
  return !/^[\d.]+$|:/.test(location.hostname);
}

async function ask(form) {
  const { passkey, passkeyOptions, passkeyOptionsFrom } = form.dataset;
  try {
    const { publicKey } = passkeyOptions ? JSON.parse(passkeyOptions) : await fetched(passkeyOptionsFrom);
    const credential = await navigator.credentials[passkey]({ publicKey: decoded(publicKey) });
    form.elements.credential.value = JSON.stringify(encoded(credential));
    form.submit();
  } catch (error) {
    toast(reasonFor(error), "bad");
  }
}

async function fetched(url) {
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return (await answer.json()).request_options;
}

function reasonFor(error) {
  if (error.name === "InvalidStateError") return "This device has a passkey for this account already.";
  if (error.name === "NotAllowedError") return "Nothing was chosen, or it took too long. Try again.";
  if (error.name === "SecurityError") return "The browser does not allow passkeys at this address.";
  return "This did not work. Load the page again and try once more.";
}

function decoded(publicKey) {
  const named = (list) => list?.map((each) => ({ ...each, id: toBytes(each.id) }));
  return {
    ...publicKey,
    challenge: toBytes(publicKey.challenge),
    ...(publicKey.user && { user: { ...publicKey.user, id: toBytes(publicKey.user.id) } }),
    ...(publicKey.excludeCredentials && { excludeCredentials: named(publicKey.excludeCredentials) }),
    ...(publicKey.allowCredentials && { allowCredentials: named(publicKey.allowCredentials) }),
  };
}

function encoded(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = toText(credential.response[name]);
  }
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    response,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

/** Base64 as addresses can hold it, without padding. */
function toBytes(text) {
  const base64 = text.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function toText(bytes) {
  const text = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
