// What is known about this visitor, and the one question everything else asks: is it allowed?

import { gpc } from "./page.js";
import { pending } from "./outbox.js";

/** @type {import("../types").Banner | null} */
let banner = null;
/** @type {import("../types").Consent | null} */
let consent = null;

export const theBanner = () => banner;
export const theConsent = () => consent;

/** @param {import("../types").Banner} answer */
export function setBanner(answer) {
  banner = answer;
}

/**
 * Take over what the service says, less what a choice still on its way denies.
 *
 * A refusal works at once; a grant only when the service has recorded it.
 * @param {import("../types").Consent} answer
 */
export function setConsent(answer) {
  consent = structuredClone(answer);
  const waiting = pending();
  if (!waiting) return;
  consent.prompt = false;
  for (const [id, state] of Object.entries(consent.categories)) {
    const kept = waiting.choices?.[/** @type {import("../types").Category} */ (id)];
    const denied = kept === false || !waiting.choices;
    if (denied && state.allow && state.reason !== "exempt") Object.assign(state, { allow: false, reason: "refused" });
  }
}

/**
 * Find what is registered for a name: the entries of that very name, else of the longest one that ends in `*`.
 * @param {string} name
 */
function find(name) {
  const all = banner?.categories.flatMap(({ id, trackers }) => trackers.map((tracker) => ({ ...tracker, id }))) ?? [];
  const fit = all.map((one) => one.name).filter((one) => one === name || (one.endsWith("*") && name.startsWith(one.slice(0, -1))));
  const best = fit.includes(name) ? name : fit.sort((a, b) => b.length - a.length)[0];
  return all.filter((one) => one.name === best);
}

/**
 * Sales and sharing are off: recorded, or shown by this browser although a proxy took the header away.
 */
function saleOff() {
  return consent?.sale_share_opt_out || (gpc() && banner?.signals.gpc === "honor");
}

/** @param {string} id */
function categoryAllowed(id) {
  const state = consent?.categories[/** @type {import("../types").Category} */ (id)];
  if (!state?.allow) return false;
  if (state.reason === "granted" && state.expires_at && Date.parse(state.expires_at) <= Date.now()) return false;
  const sells = banner?.categories.some((category) => category.id === id && category.sells_or_shares);
  return !(sells && saleOff());
}

/**
 * Is a category or tracker allowed now? False while unknown.
 * @param {string} name
 * @returns {boolean}
 */
export function allows(name) {
  if (!consent) return false;
  if (Object.hasOwn(consent.categories, name)) return categoryAllowed(name);
  const found = find(name);
  return found.length > 0 && found.every(trackerAllowed);
}

/**
 * As the service decides, and never more: where it knows more about the visitor, the answer here is no.
 * @param {import("../types").Tracker & { id: import("../types").Category }} tracker
 */
function trackerAllowed({ id, kind, exempt, sells_or_shares: sells }) {
  if (exempt && consent?.categories[id].reason !== "objected") return true;
  // What a mail may hold was chosen apart from the web.
  return kind !== "email_pixel" && categoryAllowed(id) && !(sells && saleOff());
}

/** Advertising as the platforms mean it: an opt-out of sale or sharing denies it too (rules.md §2.2). */
export const advertisingAllowed = () => allows("advertising") && !saleOff();

/** @param {(id: import("../types").Category) => boolean} choose */
export function choicesBy(choose) {
  const ids = /** @type {import("../types").Category[]} */ (Object.keys(consent?.categories ?? {}));
  return /** @type {import("../types").Choices} */ (
    Object.fromEntries(ids.map((id) => [id, id === "strictly_necessary" || choose(id)]))
  );
}
