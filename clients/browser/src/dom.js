// Building elements. Text is only ever text: nothing here parses HTML.

/**
 * Make an element; functions among the attributes become listeners.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | boolean | EventListener | null | undefined>} [attributes]
 * @param {...(Node | string | null | false | undefined)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(.../** @type {(Node | string)[]} */ (children.filter(Boolean)));
  return element;
}

/**
 * A link, or only its words where the address is none that a browser should follow.
 * @param {string | null | undefined} address
 * @param {string} words
 */
export function link(address, words) {
  return /^https?:/.test(address ?? "") ? make("a", { href: address }, words) : words;
}

/**
 * @param {string} words
 * @param {EventListener} click
 * @param {string} [look] class of the button
 */
export const button = (words, click, look = "chx-button") => make("button", { type: "button", class: look, click }, words);
