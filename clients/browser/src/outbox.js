// The choice that still has to reach the service: kept over page loads, sent again with the same key.

import { recall, remember } from "./page.js";
import { call, passing } from "./service.js";

const PLACE = "choices:pending";

/** @returns {import("../types").Pending | null} */
export function pending() {
  try {
    return JSON.parse(recall(PLACE) ?? "null");
  } catch {
    return null;
  }
}

/** A UUID also where the page is not a secure context and `randomUUID` is missing. */
function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Keep a choice; a newer one takes the place of one not yet sent.
 * @param {"PUT" | "DELETE"} verb
 * @param {object | null} body
 * @param {import("../types").Pending["choices"]} choices
 */
export function keep(verb, body, choices) {
  const text = body && JSON.stringify(body);
  remember(PLACE, JSON.stringify({ key: newKey(), verb, body: text, choices }));
}

export function forget() {
  remember(PLACE, null);
}

/** @type {Promise<unknown>} */
let last = Promise.resolve();

/**
 * Send what is kept, one request at a time, so that a later choice is never overtaken by an earlier one.
 * @returns {Promise<import("../types").Consent | null>} the recorded consent, null when nothing was kept
 * @throws the failure of a request; the choice stays kept when it is a passing one
 */
export function deliver() {
  const sent = last.then(async () => {
    const item = pending();
    if (!item) return null;
    const settle = () => {
      if (pending()?.key === item.key) forget();
    };
    try {
      const consent = await call(item.verb, "v1/consent", item);
      settle();
      return consent;
    } catch (error) {
      if (!passing(error)) settle();
      throw error;
    }
  });
  last = sent.catch(() => {});
  return sent;
}
