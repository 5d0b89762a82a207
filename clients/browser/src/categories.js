// The eight categories as rows of the preference centre, each with its trackers.

import { link, make } from "./dom.js";
import { theConsent } from "./state.js";
import { countryWords, durationWords, word } from "./words.js";

/**
 * @param {string} name
 * @param {...(Node | string | null | undefined | false)} values
 */
const fact = (name, ...values) => [make("dt", {}, word(name)), make("dd", {}, ...values)];

/** @param {import("../types").Tracker} tracker */
function trackerRow(tracker) {
  const country = countryWords(tracker.country);
  return make(
    "li",
    {},
    make("code", {}, tracker.name),
    tracker.third_party && make("small", {}, word("third_party")),
    make(
      "dl",
      {},
      ...fact("purpose", tracker.purpose),
      ...fact("provider", link(tracker.privacy_policy, tracker.provider), country && " · " + country),
      ...fact("duration", durationWords(tracker.duration)),
    ),
  );
}

/**
 * A checkbox with the look of a switch. Nothing but an explicit grant ticks it (CON-02).
 * @param {string} id
 * @param {string} title
 * @param {boolean} checked
 * @param {boolean} [fixed]
 * @param {string} [described] id of the describing element
 */
export function toggle(id, title, checked, fixed, described) {
  const box = make("input", {
    type: "checkbox",
    name: id,
    disabled: fixed,
    "aria-label": title,
    "aria-describedby": described,
  });
  box.checked = checked;
  return make("label", {}, make("span", {}, title), fixed && make("small", {}, word("always_on")), box);
}

/** @param {import("../types").BannerCategory} category */
export function categoryRow({ id, title, description, always_on: fixed, trackers }) {
  const consent = theConsent();
  const state = consent?.categories[id];
  const described = "chx-" + id;
  return make(
    "li",
    {},
    toggle(id, title, fixed || state?.choice === "granted", fixed, described),
    make("p", { id: described }, description),
    state?.reason === "gpc" && make("p", { class: "chx-honored" }, consent?.opt_out_signal?.display_text),
    trackers.length > 0 &&
      make(
        "details",
        {},
        make("summary", { "aria-describedby": described }, `${word("details")} (${trackers.length})`),
        make("ul", {}, ...trackers.map(trackerRow)),
      ),
  );
}
