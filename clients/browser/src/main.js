// The start: the page's API, the listeners, and which layer is shown when.

import { openCentre } from "./centre.js";
import { release, watch } from "./held.js";
import { useTheme } from "./look.js";
import { ownTag, tell, whenParsed } from "./page.js";
import { startPlatforms, tellPlatforms } from "./platforms.js";
import { hidePrompt, showPrompt, showWay } from "./prompt.js";
import { useService } from "./service.js";
import { allows, theBanner, theConsent } from "./state.js";
import { start, update, withdraw } from "./sync.js";
import { loadWords } from "./words.js";

const known = () => structuredClone(theConsent());

/** @type {(consent: import("../types").Consent) => void} */
let nowReady;
let told = "";

/** @type {Promise<import("../types").Consent>} */
const ready = new Promise((resolve) => {
  nowReady = resolve;
});

/** @param {boolean} [asked] ask whatever the state says */
function layers(asked) {
  whenParsed(async () => {
    await loadWords(["choices_link", "close", "privacy_link", theBanner()?.notice ?? "close"]);
    if (asked || theConsent()?.prompt) showPrompt(openCentre);
    else hidePrompt();
    showWay();
  });
}

/** Whatever changed: held elements, platforms and the page's listeners hear of it, each in this order. */
function changed() {
  // What only the answer to a write has, and whether to ask, are no change of the consent.
  const now = JSON.stringify({ ...theConsent(), prompt: 0, receipt: 0, cleanup: 0 });
  if (now !== told) {
    const name = told ? "change" : "ready";
    told = now;
    tellPlatforms("update");
    nowReady(/** @type {import("../types").Consent} */ (known()));
    tell(name, known());
  }
  release();
  layers();
}

/** @param {Event} event */
function opened(event) {
  if (!(event.target instanceof Element) || !event.target.closest("[data-consent-open]")) return;
  // A link goes where it leads while there is nothing to open yet.
  if (theConsent()) event.preventDefault();
  api.open();
}

/** @type {import("../types").PageConsent} */
const api = Object.freeze({
  ready,
  get: known,
  allows,
  open: () => ready.then(openCentre),
  update: (/** @type {Partial<import("../types").Choices>} */ choices) => ready.then(() => update(choices)),
  withdraw,
});

/**
 * Install the page's API and begin. A second tag on the same page changes nothing.
 * @param {string} [moduleAddress] of the ES module; a classic script finds its own tag
 * @returns {import("../types").PageConsent}
 */
export function install(moduleAddress) {
  if (window.consent) return window.consent;
  const tag = ownTag(moduleAddress);
  const address = moduleAddress ?? tag?.src ?? location.href;
  const options = tag?.dataset ?? {};
  window.consent = api;
  useService(address);
  useTheme(options.theme);
  startPlatforms(options);
  watch(tag?.nonce ?? "");
  document.addEventListener("click", opened);
  const lang = options.lang || document.documentElement.lang || navigator.language;
  start(lang, { changed, asked: () => layers(true) });
  return api;
}
