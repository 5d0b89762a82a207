// How the two layers look. Sheets are constructed, which every content security policy allows.

import { LOOK } from "./generated.js";
import { asset } from "./service.js";
import { theBanner } from "./state.js";

let dressed = false;
let whole = false;
let theme = "auto";

/** @param {string | undefined} wanted auto, light or dark */
export function useTheme(wanted) {
  theme = wanted || theme;
}

/** @param {string} rules */
function adopt(rules) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}

/** Fetch the style of the preference centre; without it the browser's own dialog and boxes still work. */
export async function loadLook() {
  if (whole) return;
  whole = true;
  try {
    adopt(await (await asset("centre.css")).text());
  } catch {
    whole = false;
  }
}

/** The attributes every root of ours carries; the first call brings the style of the first layer. */
export function root() {
  if (!dressed) adopt(LOOK);
  dressed = true;
  return { lang: theBanner()?.lang, dir: theBanner()?.dir, "data-theme": theme };
}
