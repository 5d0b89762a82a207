"""How much of anything one connection may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Sizes in bytes, times in seconds. Every default stands well above what a browser or a shop sends."""

    max_header_bytes: int = 16 * 1024
    """Request line and header fields together; trailer fields count as well."""
    max_headers: int = 100
    max_body_bytes: int = 1024 * 1024
    """The most that any path takes; the application has narrower limits of its own."""
    max_pipelined: int = 128
    """Requests of one connection that may wait for their turn."""
    max_connections: int | None = 8192
    """Connections of one process; those above it are answered with 503. None: as many as the system gives."""
    header_deadline: float = 10.0
    """From the first byte of a request, or from connecting, to the end of its header."""
    body_deadline: float = 20.0
    """From the end of the header to the end of the body; a byte now and then does not extend it."""
    keep_alive: float = 75.0
    """How long a connection may rest between two requests."""
    write_stall: float = 30.0
    """How long an answer may wait for a client that does not read."""
    linger: float = 2.0
    """How long what a refused client still sends is read and dropped, so that the refusal reaches it."""
    drain_delay: float = 1.0
    """How long the listener stays open after SIGTERM, while the application says that it is not ready."""
    finish_within: int = 25
    """How long requests under way may take once the listener is closed."""
