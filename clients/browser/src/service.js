// Requests to the service.

const TIMEOUT_MS = 10_000;
const PATIENCE_MS = 3_000;

let address = "";
let directory = "";

/** @param {string} script address of this script's file, served as `<service>/static/<file>` */
export function useService(script) {
  address = new URL("..", script).href;
  directory = new URL(".", script).href;
}

/**
 * Fetch a file that lies beside the script. Nobody waits long for words or looks.
 * @param {string} name
 */
export async function asset(name) {
  const response = await fetch(directory + name, { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!response.ok) throw failure(response.status);
  return response;
}

/**
 * An error for a request that was refused (`status` of the answer) or never answered (`status` 0).
 * @param {number} status
 * @param {string} [code] of the problem
 * @param {number} [wait] seconds that the service asks to wait (its Retry-After is never a date)
 */
const failure = (status, code, wait = 0) => Object.assign(new Error(code ?? "status " + status), { status, code, wait });

/**
 * The visitor answered a text that is no longer the one in force.
 * @param {any} error
 */
export const superseded = (error) => error.code === "policy-version-superseded";

/**
 * Trying the very same request again can help.
 * @param {any} error
 */
export const passing = (error) =>
  error.status === 0 || error.status >= 500 || error.status === 429 || (error.status === 409 && !superseded(error));

/**
 * Ask the service and return the answer's body.
 *
 * Requests outlive the page (`keepalive`), so a choice made on the way out still arrives.
 * @param {string} verb
 * @param {string} path
 * @param {{ body?: string | null, key?: string }} [options]
 * @returns {Promise<any>} parsed JSON, or null for an empty answer
 */
export async function call(verb, path, { body, key } = {}) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (body) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  const reading = verb === "GET";
  let response;
  let answer = null;
  try {
    response = await fetch(address + path, {
      method: verb,
      headers,
      body,
      credentials: "include",
      keepalive: !reading,
      cache: reading ? "no-cache" : "default",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status !== 204) answer = await response.json();
  } catch {
    if (!response || response.ok) throw failure(0);
  }
  if (!response.ok) throw failure(response.status, answer?.code, Number(response.headers.get("Retry-After")) || 0);
  return answer;
}
