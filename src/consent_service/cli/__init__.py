"""The command line: one file for each family of commands."""

from consent_service.cli.root import main

__all__ = ["main"]
