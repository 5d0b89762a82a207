// What this script knows about the page it runs in: its own tag, where the service is, storage, events.

/**
 * Find the tag that loaded this file.
 *
 * A classic script knows its tag; a module does not and looks for one with its own address.
 * @param {string} [address] the module's address
 * @returns {HTMLScriptElement | null}
 */
export function ownTag(address) {
  if (!address) return /** @type {HTMLScriptElement | null} */ (document.currentScript);
  return Array.from(document.scripts).find((script) => script.src === address) ?? null;
}

/**
 * Tell the page's listeners.
 * @param {"ready" | "change" | "open" | "close"} name
 * @param {unknown} detail
 */
export function tell(name, detail) {
  document.dispatchEvent(new CustomEvent("consent:" + name, { detail }));
}

/**
 * Run as soon as there is a body to put something into.
 * @param {() => void} work
 */
export function whenParsed(work) {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", work, { once: true });
  else work();
}

/** The signals as page script sees them; the service also reads the headers (SIG-25). */
export const gpc = () => navigator.globalPrivacyControl === true;

/** @returns {"1" | "0" | null} */
export function dnt() {
  const value = navigator.doNotTrack ?? "";
  return /^[01]$/.test(value) ? /** @type {"1" | "0"} */ (value) : null;
}

// Storage can be blocked or full; what is kept then lives as long as the page.
/** @type {Record<string, string>} */
const fallback = {};

/**
 * @param {string} key
 * @returns {string | null}
 */
export function recall(key) {
  try {
    return localStorage.getItem(key) ?? fallback[key] ?? null;
  } catch {
    return fallback[key] ?? null;
  }
}

/**
 * Keep a value, or forget it when it is null.
 * @param {string} key
 * @param {string | null} value
 */
export function remember(key, value) {
  delete fallback[key];
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    if (value !== null) fallback[key] = value;
  }
}
