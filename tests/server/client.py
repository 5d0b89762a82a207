"""Starts the small application in a process of its own, and speaks to it in raw bytes."""

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0
"""Seconds within which everything here must have happened; deadlines under test are far shorter."""
HELLO = b"GET /hello HTTP/1.1\r\nHost: shop\r\n\r\n"
POST = b"POST /length HTTP/1.1\r\nHost: shop\r\n"


@dataclass
class Server:
    """The server's process and the port it listens on."""

    process: "subprocess.Popen[str]"
    port: int

    def connect(self) -> socket.socket:
        """Open a connection; reading from it fails when nothing happens for long."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def ask(self, data: bytes) -> bytes:
        """Send bytes on a connection of their own and read until the server closes it."""
        with self.connect() as connection:
            send_hopefully(connection, data)
            return read_to_end(connection)

    def get(self, path: str) -> "Answer":
        """Ask for a path in the ordinary way."""
        return parse(self.ask(f"GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n".encode()))

    def signal(self, number: int) -> None:
        """Send the process a signal."""
        self.process.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Wait for the process to end; gives its status and what it wrote to standard error."""
        _, written = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, written

    def resident_bytes(self) -> int:
        """Tell how much memory the process has now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024


@dataclass(frozen=True)
class Answer:
    """One HTTP response."""

    status: int
    fields: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.body)


@contextmanager
def serving(start: str = "well", workers: int = 1, port: int = 0, **limits: float) -> Iterator[Server]:
    """Run the server until the block ends."""
    process = start_process(start=start, workers=workers, port=port, **limits)
    try:
        assert process.stdout is not None
        address = process.stdout.readline()
        yield Server(process, int(address.rpartition(":")[2]))
    finally:
        process.kill()
        process.communicate()


def start_process(**options: Any) -> "subprocess.Popen[str]":
    """Start the server's process; it writes its address when it serves."""
    program = [
        sys.executable,
        "-m",
        "tests.server.hello",
        json.dumps({"start": "well", "workers": 1, "port": 0} | options),
    ]
    return subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def send_hopefully(connection: socket.socket, data: bytes) -> None:
    """Send, though the server may have closed the connection meanwhile."""
    try:
        connection.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        return


def trickle(connection: socket.socket, data: bytes, pause: float) -> bool:
    """Send one byte after the other, with pauses in seconds; tells whether the server has taken all of them."""
    stop = threading.Event()
    try:
        for byte in data:
            connection.sendall(bytes([byte]))
            stop.wait(pause)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def read_to_end(connection: socket.socket) -> bytes:
    """Read until the server closes; a reset ends it too."""
    pieces = []
    try:
        while piece := connection.recv(65_536):
            pieces.append(piece)
    except ConnectionResetError:
        pass
    return b"".join(pieces)


def read_one(connection: socket.socket) -> Answer:
    """Read one response of a connection that stays open."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(1)
    head = parse(data)
    body = b""
    while len(body) < int(head.fields.get("content-length", "0")):
        body += connection.recv(65_536)
    return Answer(head.status, head.fields, body)


def parse(data: bytes) -> Answer:
    """Read one response; the rest is its body."""
    head, _, body = data.partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    pairs = (field.partition(": ") for field in fields)
    return Answer(int(line.split(" ")[1]), {name.lower(): value for name, _, value in pairs}, body)


def statuses(data: bytes) -> list[int]:
    """Give the statuses of all responses in what was read."""
    return [int(number) for number in re.findall(rb"HTTP/1\.1 (\d{3}) ", data)]
