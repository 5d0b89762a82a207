"""The HTTP server, attacked through raw sockets while it runs as a process of its own."""
