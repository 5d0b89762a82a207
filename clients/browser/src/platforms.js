// The calls that advertising platforms expect, made for the shop where its tag asks so (rules.md §2.2, §2.3).

import { advertisingAllowed, allows, theConsent } from "./state.js";

/** @type {DOMStringMap} */
let options = {};

/** @param {boolean} allowed */
const granted = (allowed) => (allowed ? "granted" : "denied");

/**
 * Google's queue takes `arguments` objects, not arrays.
 * @param {...unknown} _given
 */
function gtag(..._given) {
  (window.dataLayer ??= []).push(arguments);
}

const analyticsAllowed = () => allows("analytical_performance") && allows("statistical");

function googleTypes() {
  const ads = granted(advertisingAllowed());
  return {
    ad_storage: ads,
    ad_user_data: ads,
    ad_personalization: ads,
    analytics_storage: granted(analyticsAllowed()),
    functionality_storage: granted(allows("functionality")),
    personalization_storage: granted(allows("personalization")),
    security_storage: "granted",
  };
}

/** @param {"default" | "update"} stage */
function google(stage) {
  const advanced = options.google === "advanced" && stage === "default";
  gtag("consent", stage, { ...googleTypes(), ...(advanced && { wait_for_update: 500 }) });
  if (advanced) gtag("set", "ads_data_redaction", true);
}

/** @param {"default" | "update"} stage */
function microsoft(stage) {
  const ads = granted(advertisingAllowed());
  if ("uet" in options) (window.uetq ??= []).push("consent", stage, { ad_storage: ads });
  if (!("clarity" in options)) return;
  window.clarity ??= function () {
    // Clarity's own loader keeps an existing queue and works it off.
    (/** @type {any} */ (window.clarity).q ??= []).push(arguments);
  };
  window.clarity("consentv2", { ad_Storage: ads, analytics_Storage: granted(analyticsAllowed()) });
}

/** Meta's loader stops where `fbq` exists already, so its queue is never made here, only used. */
function meta() {
  if (!("meta" in options) || !window.fbq) return;
  window.fbq("consent", advertisingAllowed() && allows("social_media") ? "grant" : "revoke");
  const known = theConsent();
  if (known) window.fbq("dataProcessingOptions", known.sale_share_opt_out ? ["LDU"] : [], 0, 0);
}

/** @param {"default" | "update"} stage */
export function tellPlatforms(stage) {
  if (options.google) google(stage);
  microsoft(stage);
  meta();
}

/**
 * Say "denied" before any tag of a platform asks; nothing is known yet, so every answer is no.
 * @param {DOMStringMap} tagOptions
 */
export function startPlatforms(tagOptions) {
  options = tagOptions;
  tellPlatforms("default");
}
