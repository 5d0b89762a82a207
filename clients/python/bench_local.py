"""Print how many decisions a second the SDK makes from signed states (quality bar P7).

Run `make bench-sdk`, or `python bench_local.py` alone. Seconds are seconds of this process on a core, so that what
else runs on a shared machine does not count. Beside the SDK's own figures stand two of the same minute: a bare
dictionary look-up, and the signature check alone, which nobody who verifies can beat.
"""

import argparse
import os
import platform
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable

from consent_client.testing.authority import FakeAuthority
from consent_client.testing.reasons import recorded_reason
from consent_client.tokens import parse_jwks, parse_token

HEADERS = {
    "host": "shop.example",
    "user-agent": "Mozilla/5.0",
    "accept": "text/html",
    "accept-language": "en",
    "accept-encoding": "gzip",
    "referer": "https://shop.example/",
    "cookie": "consent_state=…",
    "sec-fetch-site": "same-origin",
    "dnt": "0",
}


def rate(work: Callable[[], object], seconds: float, per_call: int = 1) -> float:
    """Give how often `work` runs a second, times what it does in one run."""
    work()
    count, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        for _ in range(100):
            work()
        count += 100
    return count * per_call / spent


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each figure")
    seconds = parser.parse_args().seconds
    authority = FakeAuthority(source=recorded_reason)
    cookies = [authority.state_cookie(authority.visitor_who_granted("analytical_performance")) for _ in range(2000)]
    client = authority.client()
    headers = {**HEADERS, "dnt": "x"}
    known = client.from_state(cookies[0], headers)
    assert known.allows("_ga") and not known.allows("_fbp")  # noqa: PT018, S101 - a bench of wrong answers is no bench
    names = ["_ga"] * 100
    plain = dict.fromkeys(names, True)
    keys = parse_jwks(authority.jwks())
    turn = iter(range(10**9))

    def verify_and_decide() -> None:
        client.core.states.forget()
        client.from_state(cookies[next(turn) % 2000], headers).allows("_ga")

    def signature_only() -> None:
        token = parse_token(cookies[next(turn) % 2000])
        assert token is not None  # noqa: S101 - a bench of wrong answers is no bench
        keys[token.key_id].verify(urlsafe_b64decode(token.signature + "=="), token.signed)

    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, one thread, {seconds:g} s"
    )
    figures = {
        "decisions/s, state of this request at hand (allows)": rate(
            lambda: [known.allows(name) for name in names], seconds, 100
        ),
        "decisions/s, state found again by its cookie (from_state + allows)": rate(
            lambda: client.from_state(cookies[0], headers).allows("_ga"), seconds
        ),
        "decisions/s, with verification each time": rate(verify_and_decide, seconds),
        "beside it: dictionary look-ups/s": rate(lambda: [plain[name] for name in names], seconds, 100),
        "beside it: signature checks/s": rate(signature_only, seconds),
    }
    for label, figure in figures.items():
        print(f"{figure:>14,.0f}  {label}")
    at_hand, _, verifying, _, signatures = figures.values()
    print(f"P7   {at_hand:,.0f}/s verified before (bar 200,000, goal 1,000,000)")
    print(f"P7   {verifying:,.0f}/s with verification (bar 5,000, goal 7,000)")
    print(f"     which is {verifying / signatures:.2f} of the signature check alone")


if __name__ == "__main__":
    main()
