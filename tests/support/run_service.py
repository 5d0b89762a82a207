"""Serves as `consent-service serve` does; a module, so that a test can run it under its own interpreter."""

import sys

from consent_service.cli import main


def serve() -> None:
    """Serve until told to stop."""
    sys.argv = ["consent-service", "serve"]
    main()


if __name__ == "__main__":
    serve()
