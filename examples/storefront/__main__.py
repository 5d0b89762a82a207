"""Starts one of the two servers of the demo: `python -m examples.storefront shop` or `… third-party`."""

import os
import sys

import uvicorn
from starlette.types import ASGIApp

from examples.storefront.app import create_app
from examples.storefront.settings import read_settings
from examples.storefront.third_party import create_third_party

_USAGE = "usage: python -m examples.storefront shop|third-party PORT"


def program(name: str) -> ASGIApp:
    """Make the application of that name."""
    return create_app(read_settings(os.environ)) if name == "shop" else create_third_party()


def main(arguments: list[str]) -> int:
    """Serve on loopback until told to stop."""
    match arguments:
        case ["shop" | "third-party" as name, port] if port.isdecimal():
            # 127.0.0.1 and `localhost` are one machine and two hosts: to a browser, two parties.
            uvicorn.run(program(name), host="127.0.0.1", port=int(port), log_level="warning", access_log=False)
            return 0
        case _:
            print(_USAGE, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
