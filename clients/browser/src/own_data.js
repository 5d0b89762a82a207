// What the visitor can see and do about the record itself: history, receipt, a copy of everything, erasure.

import { button, make } from "./dom.js";
import { call } from "./service.js";
import { theBanner } from "./state.js";
import { timeWords, word } from "./words.js";

/**
 * @param {string} path
 * @param {string} name of the file
 */
async function download(path, name) {
  const text = JSON.stringify(await call("GET", path), null, 2);
  const href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 1000);
}

/** Events that hold no choices, by the word that says what they were. @type {Record<string, string>} */
const OTHERS = { dismissed: "event_dismissed", signal: "event_signal", opt_out: "opted_out" };

/** @param {{ event_type: string, event_time: string, choices?: Record<string, boolean> | null }} event */
function eventRow({ event_type: type, event_time: time, choices }) {
  const granted = theBanner()?.categories.filter(({ id, always_on: always }) => !always && choices?.[id]) ?? [];
  const titles = granted.map(({ title }) => title).join(", ");
  const what = choices ? titles || word("nothing") : word(OTHERS[type] ?? "event_other");
  return make("li", {}, make("time", { datetime: time }, timeWords(time)), make("span", {}, what));
}

/** All events; the service answers them in pages, oldest first. */
async function allEvents() {
  const events = [];
  let after = "";
  do {
    const page = await call("GET", "v1/consent/history" + after);
    events.push(...page.events);
    after = page.next == null ? "" : "?after=" + encodeURIComponent(page.next);
  } while (after);
  return events;
}

/**
 * @param {(work: Promise<unknown>, done?: string) => void} report says how a piece of work ended
 * @param {() => Promise<unknown>} erase
 */
export function ownData(report, erase) {
  const list = make("ol", { class: "chx-history" });
  const showHistory = async () => list.replaceChildren(...(await allEvents()).map(eventRow));
  const question = make("div", { class: "chx-question", role: "group" });
  const close = () => {
    question.replaceChildren();
    opener.focus();
  };
  const ask = () => {
    const confirm = button(word("erase_yes"), () => report(erase(), "erased"));
    question.replaceChildren(make("p", { id: "chx-erase" }, word("erase_question")), confirm, button(word("cancel"), close));
    question.setAttribute("aria-labelledby", "chx-erase");
    confirm.focus();
  };
  const opener = button(word("erase"), ask);
  return make(
    "section",
    { "aria-labelledby": "chx-data" },
    make("h3", { id: "chx-data" }, word("your_data")),
    make(
      "div",
      { class: "chx-tools" },
      button(word("history"), () => report(showHistory())),
      button(word("receipt"), () => report(download("v1/consent/receipt?format=kantara", "receipt.json"))),
      button(word("export"), () => report(download("v1/consent/export", "data.json"))),
      opener,
    ),
    list,
    question,
  );
}
