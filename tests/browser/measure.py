"""Print how large the banner is and how long it holds up a slow device: `make banner-figures` (quality.md P10).

Time is read from Chromium's own trace, as CPU time of the renderer's main thread: every task in which the script runs. Beside
it stands a script that does nothing. Chromium slows a CPU down by interrupting it, which on a busy machine adds more than it
should: the least of many visits is the figure to look at, and the figure without slowing beside it.
"""

import gzip
import json
import os
import platform
import statistics
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.browser.policy import document
from tests.browser.service import serving
from tests.browser.shop import CONTENT, HEAD, Shop
from tests.support.chromium import FLAGS, find_chromium

WEB = Path(__file__).resolve().parents[2] / "src" / "consent_service" / "web"

VISITS = 10
SETTLE_MS = 300
RATES = (1, 4)
MARKS = "for (const name of ['ready', 'open']) document.addEventListener('consent:' + name, () => performance.mark('ours'));"
Event = dict[str, Any]


def trace(browser: Browser, address: str, shown: str, rate: int) -> list[Event]:
    """Visit as a new visitor until something is shown, and return what happened, in microseconds."""
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(MARKS)
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": rate})
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "trace.json"
        browser.start_tracing(page=page, path=path, categories=["devtools.timeline", "toplevel", "blink.user_timing"])
        page.goto(address, wait_until="load")
        page.locator(shown).first.wait_for()
        page.wait_for_timeout(SETTLE_MS)
        browser.stop_tracing()
        events: list[Event] = json.loads(path.read_text())["traceEvents"]
    context.close()
    return events


def own_tasks(events: list[Event], script: str) -> list[float]:
    """Return the CPU time, in milliseconds, of every task of the main thread that runs the script."""
    main = next(event for event in events if event["name"] == "EvaluateScript" and script in json.dumps(event["args"]))
    thread = [event for event in events if (event["pid"], event["tid"]) == (main["pid"], main["tid"])]
    moments = [event["ts"] for event in thread if event["name"] == "ours" or
               (event["name"] in {"EvaluateScript", "FunctionCall"} and script in json.dumps(event["args"]))]  # fmt: skip
    tasks = [event for event in thread if event["name"].endswith("RunTask") and "tdur" in event]
    return [task["tdur"] / 1000 for task in tasks
            if any(task["ts"] <= moment <= task["ts"] + task["dur"] for moment in moments)]  # fmt: skip


def report(browser: Browser, address: str, script: str, shown: str, rate: int) -> None:
    """Print the least and the median over the visits."""
    visits = [own_tasks(trace(browser, address, shown, rate), script) for _ in range(VISITS)]
    longest, totals = [max(tasks) for tasks in visits], [sum(tasks) for tasks in visits]
    print(
        f"{script}, CPU {rate}x slower: longest task {min(longest):.1f} ms (median {statistics.median(longest):.1f}), "
        f"all tasks {min(totals):.1f} ms (median {statistics.median(totals):.1f})"
    )


def main() -> None:
    """Print sizes and times."""
    for name in ("choices.js", "choices.mjs", "centre.css", "words/en.json", "words/el.json"):
        content = (WEB / name).read_bytes()
        print(f"{name:14} {len(content):6} bytes, {len(gzip.compress(content, 9)):5} with gzip")
    print(
        f"{platform.machine()}, {os.cpu_count()} cores; main thread, {VISITS} visits of a new visitor each, who is asked:"
    )
    with tempfile.TemporaryDirectory() as directory, serving(Path(directory), document()) as service:
        shop = Shop(service.handle)
        address = shop.show()
        shop.pages["/nothing.js"] = "void 0;"
        head = HEAD.format(lang="en", dir="ltr") + '<script src="/nothing.js" defer></script>'
        shop.pages["/bare"] = f"{head}</head><body>{CONTENT}</body></html>"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
            for rate in RATES:
                report(browser, address, "choices.js", ".chx-layer", rate)
                report(browser, shop.url + "/bare", "nothing.js", "h1", rate)
            browser.close()
        shop.close()


if __name__ == "__main__":
    main()
