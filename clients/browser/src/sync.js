// Keeping page and service of one mind: the first load, every choice, and trying again when the service is away.

import { cleanUp } from "./cleanup.js";
import { deliver, forget, keep, pending } from "./outbox.js";
import { dnt, gpc, remember } from "./page.js";
import { call, passing, superseded } from "./service.js";
import { choicesBy, setBanner, setConsent, theBanner, theConsent } from "./state.js";

const CHANGED = "choices:changed";
const LONGEST_WAIT_S = 300;
const STALE_MS = 480_000;

/** @type {{ changed: () => void, asked: () => void }} */
let listeners = { changed() {}, asked() {} };
let asked = "";
let writes = 0;
let readAt = 0;
let attempts = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {{ resolve: (consent: import("../types").Consent) => void, reject: (reason: unknown) => void }[]} */
let waiting = [];

/** @param {import("../types").Consent} consent */
function take(consent) {
  setConsent(consent);
  listeners.changed();
}

/** @param {import("../types").Consent} consent the answer to a write */
function written(consent) {
  writes++;
  take(consent);
  cleanUp(consent.cleanup ?? []);
  remember(CHANGED, String(Date.now()));
  for (const one of waiting.splice(0)) one.resolve(structuredClone(consent));
}

/** Read the banner with the state, unless a write that ended meanwhile knows better. */
export async function load() {
  const before = writes;
  const banner = await call("GET", "v1/banner?lang=" + encodeURIComponent(asked));
  readAt = Date.now();
  setBanner(banner);
  if (banner.state && before === writes) take(banner.state);
}

/** @param {unknown} error */
async function refused(error) {
  for (const one of waiting.splice(0)) one.reject(error);
  await load();
  if (superseded(error)) listeners.asked();
}

/** @param {{ wait: number }} failure */
function again({ wait }) {
  const seconds = Math.max(wait, Math.min(LONGEST_WAIT_S, 2 ** ++attempts));
  clearTimeout(timer);
  timer = setTimeout(synchronise, seconds * 1000 * (1 + Math.random() / 4));
}

async function send() {
  try {
    const consent = await deliver();
    if (consent) written(consent);
  } catch (error) {
    if (passing(error)) throw error;
    await refused(error);
  }
}

const loadOnce = async () => theBanner() || load();

/**
 * Send what is kept, load what is missing, and come back later for what failed.
 *
 * Nothing is thrown: a page must never notice that the service is away, other than by what stays denied.
 */
export async function synchronise() {
  /** @type {any} */
  let failed;
  for (const step of [send, loadOnce]) {
    await step().catch((error) => {
      failed = error;
    });
  }
  if (failed && passing(failed)) again(failed);
  else attempts = 0;
}

/**
 * Let a choice work here, as far as it denies, and have it recorded.
 * @param {"PUT" | "DELETE"} verb
 * @param {object | null} body
 * @param {import("../types").Pending["choices"]} choices
 * @returns {Promise<import("../types").Consent>} fulfilled once the service has recorded it
 */
function record(verb, body, choices) {
  keep(verb, body, choices);
  const known = theConsent();
  if (known) take(known);
  const answered = new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  synchronise();
  return /** @type {Promise<import("../types").Consent>} */ (answered);
}

/**
 * @param {import("../types").Action} action
 * @param {import("../types").Method} method
 * @param {import("../types").Choices} [choices] with `custom`
 * @param {string[]} [separate] what was agreed apart from the bundle, where that was asked
 */
export function choose(action, method, choices, separate) {
  const banner = theBanner();
  if (!banner) return Promise.reject(new Error("not ready"));
  /** @type {Record<string, unknown>} */
  const body = { action, policy_version: banner.policy_version, locale: banner.lang, method, gpc: gpc(), dnt: dnt() };
  if (choices) body.choices = choices;
  if (separate) body.separate_consents = separate;
  return record("PUT", body, action === "reject_all" ? null : (choices ?? {}));
}

/** @param {Partial<import("../types").Choices>} changes */
export function update(changes) {
  const consent = theConsent();
  const wrong = Object.entries(changes).find(([id, value]) => typeof value !== "boolean" || !consent?.categories[
    /** @type {import("../types").Category} */ (id)
  ]);
  if (!consent || wrong) return Promise.reject(new TypeError(wrong ? "not a choice: " + wrong[0] : "not ready"));
  return choose("custom", "api", choicesBy((id) => changes[id] ?? consent.categories[id].choice === "granted"));
}

export const withdraw = () => record("DELETE", null, null);

/** Withdraw, which cleans up what was stored, then have everything erased that the service holds. */
export async function erase() {
  await withdraw();
  await call("DELETE", "v1/consent/data");
  forget();
  remember(CHANGED, null);
  await load();
}

/** Read the state anew: after a change in another tab, a return from the page cache, or a long time away. */
function refresh() {
  if (theBanner() && !pending()) load().catch(() => {});
  else synchronise();
}

/**
 * @param {string} lang
 * @param {typeof listeners} heard
 */
export function start(lang, heard) {
  asked = lang;
  listeners = heard;
  addEventListener("online", synchronise);
  addEventListener("storage", ({ key }) => key === CHANGED && refresh());
  addEventListener("pageshow", ({ persisted }) => persisted && refresh());
  // Also keeps the signed state fresh that the shop's servers read (contract §3); a page in the background asks nothing.
  const stale = () => document.hidden || Date.now() - readAt < STALE_MS || refresh();
  document.addEventListener("visibilitychange", stale);
  setInterval(stale, STALE_MS / 2);
  return synchronise();
}
