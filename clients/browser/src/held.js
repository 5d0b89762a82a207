// Elements that the page holds back until they are allowed (contract §11).

import { allows } from "./state.js";

const SCRIPTS = 'script[type="text/plain"][data-consent]';
const HELD = SCRIPTS + ",[data-consent][data-consent-src]";

/** @param {Element} element */
function released(element) {
  const words = (element.getAttribute("data-consent") ?? "").split(/\s+/).filter(Boolean);
  return words.length > 0 && words.every(allows);
}

/**
 * Put a running copy in the place of a held script.
 *
 * A script without `async` holds up the ones after it until it has run, as it would have in the page.
 * @param {HTMLScriptElement} held
 * @param {string} nonce
 * @returns {Promise<unknown> | null}
 */
function run(held, nonce) {
  const script = /** @type {HTMLScriptElement} */ (held.cloneNode(true));
  script.removeAttribute("data-consent");
  script.type = script.dataset.type ?? "";
  script.nonce ||= nonce;
  script.async = held.hasAttribute("async");
  const done = new Promise((resolve) => {
    script.onload = script.onerror = resolve;
  });
  held.replaceWith(script);
  return script.src && !script.async ? done : null;
}

/** @param {Element} element an iframe, image or link */
function fillIn(element) {
  const address = element.getAttribute("data-consent-src") ?? "";
  element.removeAttribute("data-consent-src");
  element.setAttribute(element.localName === "link" ? "href" : "src", address);
}

let nonce = "";
let busy = false;

/** Start everything that is allowed now, in document order, each once. */
export async function release() {
  if (busy) return;
  busy = true;
  let next;
  while ((next = Array.from(document.querySelectorAll(HELD)).find(released))) {
    if (next.localName === "script") await run(/** @type {HTMLScriptElement} */ (next), nonce);
    else fillIn(next);
  }
  busy = false;
}

/**
 * Watch for held elements that are added later.
 * @param {string} own the nonce of our own tag, for held scripts that carry none
 */
export function watch(own) {
  nonce = own;
  /** @param {Node} node */
  const holds = (node) => node instanceof Element && (node.matches(HELD) || node.querySelector(HELD));
  new MutationObserver((changes) => {
    if (changes.some((change) => Array.from(change.addedNodes).some(holds))) release();
  }).observe(document, { childList: true, subtree: true });
}
