"""An open, self-hosted consent authority for online shops."""

__version__ = "0.1.0"
