// The words of the interface that are not the policy's: a small file for each language, fetched when they are needed.

import { asset } from "./service.js";
import { theBanner } from "./state.js";

let language = "";
/** @type {Record<string, string>} */
let words = {};

/**
 * Fetch the words for the banner's language, else English ones; without either, their names must do.
 * @param {string[]} [names] the only words needed: nothing is fetched where the policy has them all
 */
export async function loadWords(names) {
  if (names?.every((name) => theBanner()?.texts[name])) return;
  const wanted = (theBanner()?.lang ?? "en").split("-")[0] ?? "";
  if (wanted === language) return;
  language = wanted;
  for (const one of [wanted, "en"]) {
    try {
      words = await (await asset(`words/${one}.json`)).json();
      return;
    } catch {
      // The next language, or none: no choice may depend on these words.
    }
  }
}

/**
 * The policy's own text of that name, else ours.
 * @param {string} name
 * @returns {string}
 */
export const word = (name) => theBanner()?.texts[name] || words[name] || name.replaceAll("_", " ");

/** The units of a part of a duration, largest first. @type {[number, string][][]} */
const UNITS = [[[12, "year"], [1, "month"]], [[1, "day"]], [[3600, "hour"], [60, "minute"], [1, "second"]]];

/**
 * An ISO 8601 duration in words, by the browser's own knowledge of languages.
 * @param {string} duration in months, days and seconds, as the service writes it: `P400D`; else it is returned as it is
 */
export function durationWords(duration) {
  if (duration === "session") return word("session");
  const parts = /^P(?:(\d+)M)?(?:(\d+)D)?(?:T(\d+)S)?$/.exec(duration) ?? [];
  const spoken = UNITS.map((units, index) => {
    const count = Number(parts[index + 1]);
    const [size, unit] = units.find(([size]) => count % size === 0) ?? [];
    const format = /** @type {any} */ ({ style: "unit", unit, unitDisplay: "long" });
    return count && size ? new Intl.NumberFormat(theBanner()?.lang, format).format(count / size) : "";
  });
  return spoken.join(" ").trim() || duration;
}

/** @param {string | null | undefined} code ISO 3166 */
export function countryWords(code) {
  try {
    return code && new Intl.DisplayNames(theBanner()?.lang, { type: "region" }).of(code);
  } catch {
    return code;
  }
}

/** @param {string} time ISO 8601 */
export const timeWords = (time) =>
  new Date(time).toLocaleString(theBanner()?.lang, { dateStyle: "medium", timeStyle: "short" });
