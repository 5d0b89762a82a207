// The first layer, and the button that brings a visitor back to it.

import { button, link, make } from "./dom.js";
import { root } from "./look.js";
import { tell } from "./page.js";
import { theBanner, theConsent } from "./state.js";
import { choose } from "./sync.js";
import { word } from "./words.js";

/** @type {HTMLElement | null} */
let layer = null;
/** @type {HTMLElement | null} */
let way = null;

const ignore = () => {};

export function hidePrompt() {
  if (!layer) return;
  layer.remove();
  layer = null;
  document.removeEventListener("keydown", escape);
  tell("close", "prompt");
}

/** @param {() => void} click */
export function closeButton(click) {
  const close = button("×", click, "chx-close");
  close.ariaLabel = word("close");
  return close;
}

/** @param {import("../types").Action} action */
function answer(action) {
  const inside = layer?.contains(document.activeElement);
  hidePrompt();
  choose(action, "banner").catch(ignore);
  showWay();
  if (inside) way?.focus({ preventScroll: true });
}

/** @param {KeyboardEvent} event Escape counts where it can only mean this layer, not something of the page's own. */
function escape(event) {
  const focus = document.activeElement;
  const ours = !focus || focus === document.body || layer?.contains(focus);
  if (event.key === "Escape" && !event.defaultPrevented && ours && !document.querySelector("dialog.chx[open]")) {
    answer("dismiss");
  }
}

/**
 * Ask. The layer comes first in the document, so it is first in reading and tab order, and takes no focus.
 * @param {() => void} customize opens the preference centre
 */
export function showPrompt(customize) {
  const banner = theBanner();
  if (layer || !banner) return;
  way?.remove();
  const { texts } = banner;
  const attributes = { class: "chx chx-layer", role: "dialog", "aria-labelledby": "chx-title", "aria-describedby": "chx-body" };
  layer = make(
    "div",
    { ...root(), ...attributes },
    make("h2", { id: "chx-title" }, texts.title),
    make("p", { id: "chx-body" }, texts.body, " ", link(banner.urls.privacy_policy, word("privacy_link"))),
    make(
      "div",
      { class: "chx-buttons" },
      ...banner.first_layer.map((name) =>
        button(word(name), () => (name === "customize" ? customize() : answer(name))),
      ),
    ),
    closeButton(() => answer("dismiss")),
  );
  document.body.prepend(layer);
  document.addEventListener("keydown", escape);
  tell("open", "prompt");
}

/**
 * Show the way back, unless the page has one of its own.
 *
 * An honoured opt-out signal is always shown (SIG-19), and so is, once, that the account's choices apply here (IDN-06).
 */
export function showWay() {
  const signal = theConsent()?.opt_out_signal;
  const notice = theBanner()?.notice;
  const needed = !layer && (signal || notice || !document.querySelector("[data-consent-open]:not(.chx)"));
  const fresh =
    needed &&
    make(
      "button",
      { ...root(), type: "button", class: "chx chx-way", "data-consent-open": true },
      make("span", {}, word("choices_link")),
      signal?.honored && make("small", {}, signal.display_text),
      notice && make("small", {}, word(notice)),
    );
  // One that is there already stays: it may have the focus.
  if (fresh && way?.isConnected && way.isEqualNode(fresh)) return;
  way?.remove();
  way = fresh || null;
  if (way) document.body.append(way);
}

export const focusWay = () => way?.focus({ preventScroll: true });
