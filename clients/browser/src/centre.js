// The preference centre: a modal dialog of the browser's own, which brings focus trap, Escape and inert page.

import { categoryRow, toggle } from "./categories.js";
import { button, link, make } from "./dom.js";
import { loadLook, root } from "./look.js";
import { pending } from "./outbox.js";
import { ownData } from "./own_data.js";
import { tell } from "./page.js";
import { closeButton, focusWay, hidePrompt, showWay } from "./prompt.js";
import { choicesBy, theBanner, theConsent } from "./state.js";
import { choose, erase, withdraw } from "./sync.js";
import { loadWords, timeWords, word } from "./words.js";

const SLOW_MS = 1_500;

/** @type {HTMLDialogElement | null} */
let dialog = null;
const status = make("p", { class: "chx-status", role: "status", tabindex: "-1" });

/**
 * Say how a piece of work ended, and show what it changed.
 * @param {Promise<unknown>} work
 * @param {string} [done] the word for success
 */
async function report(work, done) {
  const slow = setTimeout(() => {
    status.textContent = word("pending");
  }, SLOW_MS);
  try {
    await work;
    status.textContent = done ? word(done) : "";
  } catch {
    status.textContent = word("failed");
  }
  clearTimeout(slow);
  if (!done || !dialog) return;
  fill();
  status.focus();
}

/** @param {string} name */
const ticked = (name) => !!dialog?.querySelector(`input[name="${name}"]:checked`);

/** @param {import("../types").Action} action */
function save(action) {
  const asked = theBanner()?.separate_consents ?? [];
  const separate = asked[0] ? asked.filter(ticked) : undefined;
  choose(action, "preferences", action === "custom" ? choicesBy(ticked) : undefined, separate).catch(() => {});
  hidePrompt();
  showWay();
  dialog?.close();
}

/** The answer to an opt-out preference signal, as text and as a control that shows it (11 CCR 7025(c)(6)). */
function honored() {
  const signal = theConsent()?.opt_out_signal;
  if (!signal?.honored) return null;
  const row = toggle("sale", word("sale"), false, true);
  row.querySelector("small")?.replaceChildren(word("opted_out"));
  return make("div", { class: "chx-signal" }, make("p", { class: "chx-honored" }, signal.display_text), row);
}

/** When the visitor last chose, until when it holds, and one button that takes everything back (GDPR 7(3)). */
function lastChoice() {
  const { visitor_id: visitor, updated_at: time, expires_at: end } = theConsent() ?? {};
  if (!visitor) return null;
  return make(
    "div",
    { class: "chx-last" },
    make("p", {}, time && `${word("last_choice")}: ${timeWords(time)}`, end && ` · ${word("valid_until")}: ${timeWords(end)}`),
    button(word("withdraw"), () => report(withdraw(), "withdrawn")),
  );
}

function fill() {
  const banner = theBanner();
  if (!dialog || !banner) return;
  const { texts, urls, categories, separate_consents: separate } = banner;
  dialog.replaceChildren(
    make(
      "header",
      {},
      make("h2", { id: "chx-centre-title" }, texts.settings_title ?? texts.title),
      closeButton(() => dialog?.close()),
    ),
    make(
      "div",
      { class: "chx-scroll" },
      status,
      make("p", {}, texts.settings_body ?? texts.body, " ", link(urls.privacy_policy, word("privacy_link"))),
      honored(),
      lastChoice(),
      make("ul", { class: "chx-list" }, ...categories.map(categoryRow)),
      ...separate.map((name) => make("div", { class: "chx-signal" }, toggle(name, word(name), false))),
      theConsent()?.visitor_id ? ownData(report, erase) : null,
    ),
    make(
      "footer",
      { class: "chx-buttons" },
      button(word("save"), () => save("custom")),
      button(word("accept_all"), () => save("accept_all")),
      button(word("reject_all"), () => save("reject_all")),
    ),
  );
}

function closed() {
  dialog?.remove();
  dialog = null;
  tell("close", "preferences");
  // The browser has given focus back to what opened the dialog, unless that is gone.
  if (document.activeElement === document.body) focusWay();
}

/** Show the preference centre; nothing happens while it is open already. */
export async function openCentre() {
  await Promise.all([loadWords(), loadLook()]);
  if (dialog) return;
  status.textContent = pending() ? word("pending") : "";
  dialog = make("dialog", { ...root(), class: "chx chx-centre", "aria-labelledby": "chx-centre-title", close: closed });
  fill();
  document.body.append(dialog);
  dialog.showModal();
  tell("open", "preferences");
}
