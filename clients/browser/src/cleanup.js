// Removing what a withdrawn choice had allowed, as far as page script can (CON-14).

/**
 * The names in use that an item of the list means; a trailing `*` matches the rest.
 * @param {string} name
 * @param {string[]} existing
 */
function matching(name, existing) {
  if (!name.endsWith("*")) return [name];
  return existing.filter((one) => one.startsWith(name.slice(0, -1)));
}

/** @param {string} domain every domain a cookie seen here can have been set for */
function domains(domain) {
  const labels = location.hostname.split(".");
  return ["", domain, ...labels.map((_, index) => labels.slice(index).join("."))];
}

/** @param {string} path every path a cookie seen here can have been set for (RFC 6265 §5.1.4) */
function paths(path) {
  const here = location.pathname + "/";
  const ends = Array.from(here.matchAll(/\//g), ({ index }) => index);
  return [path, ...ends.flatMap((end) => [here.slice(0, end), here.slice(0, end + 1)])];
}

/** @param {import("../types").CleanupItem} item */
function expireCookies({ name, domain = "", path = "/" }) {
  const existing = document.cookie.split(/;\s*/).map((pair) => pair.split("=")[0] ?? "");
  for (const one of matching(name, existing)) {
    for (const place of domains(domain)) {
      for (const way of paths(path)) {
        document.cookie = `${one}=;Max-Age=0;Path=${way}` + (place && ";Domain=" + place);
      }
    }
  }
}

/** @param {import("../types").CleanupItem} item */
async function deleteDatabases({ name }) {
  const existing = (await indexedDB.databases?.()) ?? [];
  for (const one of matching(name, existing.map((database) => database.name ?? ""))) indexedDB.deleteDatabase(one);
}

/**
 * @param {Storage} storage
 * @param {string} name
 */
function clear(storage, name) {
  for (const one of matching(name, Object.keys(storage))) storage.removeItem(one);
}

/** @param {import("../types").CleanupItem[]} items */
export function cleanUp(items) {
  for (const item of items) {
    try {
      if (item.kind === "cookie") expireCookies(item);
      else if (item.kind === "local_storage") clear(localStorage, item.name);
      else if (item.kind === "session_storage") clear(sessionStorage, item.name);
      else if (item.kind === "indexed_db") deleteDatabases(item).catch(() => {});
    } catch {
      // Storage that the browser blocks holds nothing to remove; the other items still count.
    }
  }
}
