"""Free ports on loopback."""

import socket


def free_port() -> int:
    """Name a TCP port on 127.0.0.1 that nothing listened on a moment ago.

    Another process may take it before the caller does: who starts a server on it must be ready to try again.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
