"""The two transports: they send one call within its time and give what came back, or raise Unavailable."""

import asyncio
import os
import time
import weakref

from consent_client._http import httpx
from consent_client.calls import MAX_BODY, Call, Reply
from consent_client.errors import Unavailable

_HEADERS = {
    "accept": "application/json",
    # Compressed answers would have to be unpacked before their size is known.
    "accept-encoding": "identity",
    "user-agent": "consent-client/0.1",
}


class SyncTransport:
    """Sends calls over kept connections; usable from several threads, and afresh in a forked process."""

    def __init__(self, base_url: str, transport: "httpx.BaseTransport | None" = None) -> None:
        self._base_url, self._transport = base_url, transport
        self._client: httpx.Client | None = None
        self._pid = 0

    def send(self, call: Call) -> Reply:
        """Send one call; the body, too, must be there in time."""
        deadline = time.monotonic() + call.timeout
        try:
            with self._open().stream(
                call.method, call.path, params=call.params or None, headers=_headers(call), content=call.content(),
                timeout=call.timeout,
            ) as response:  # fmt: skip
                _check_plain(response)
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    _check_size(body)
                    if time.monotonic() > deadline:
                        raise Unavailable("the service answered too slowly")
                return Reply(response.status_code, dict(response.headers.items()), bytes(body))
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError) as error:
            raise Unavailable(f"the service could not be reached: {type(error).__name__}") from error

    def _open(self) -> "httpx.Client":
        # A forked worker must not share its parent's sockets.
        if self._client is None or self._pid != os.getpid():
            self._client = httpx.Client(base_url=self._base_url, transport=self._transport)
            self._pid = os.getpid()
        return self._client

    def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        client, self._client = self._client, None
        if client is not None and self._pid == os.getpid():
            client.close()


class AsyncTransport:
    """Sends calls over kept connections, a pool of its own for every event loop."""

    def __init__(self, base_url: str, transport: "httpx.AsyncBaseTransport | None" = None) -> None:
        self._base_url, self._transport = base_url, transport
        self._clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = (
            weakref.WeakKeyDictionary()
        )

    async def send(self, call: Call) -> Reply:
        """Send one call; the time limit holds for all of it."""
        try:
            async with asyncio.timeout(call.timeout):
                return await self._send(call)
        except TimeoutError as error:
            raise Unavailable("the service answered too slowly") from error
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError) as error:
            raise Unavailable(f"the service could not be reached: {type(error).__name__}") from error

    async def _send(self, call: Call) -> Reply:
        async with self._open().stream(
            call.method, call.path, params=call.params or None, headers=_headers(call), content=call.content(),
            timeout=call.timeout,
        ) as response:  # fmt: skip
            _check_plain(response)
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                _check_size(body)
            return Reply(response.status_code, dict(response.headers.items()), bytes(body))

    def _open(self) -> "httpx.AsyncClient":
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = httpx.AsyncClient(base_url=self._base_url, transport=self._transport)
        return client

    async def close(self) -> None:
        """Close this loop's connections; a later call opens new ones."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()


def _headers(call: Call) -> dict[str, str]:
    content = {"content-type": "application/json"} if call.body is not None else {}
    return {**_HEADERS, **content, **call.headers}


def _check_plain(response: "httpx.Response") -> None:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise Unavailable("the service answered in a coding that was not accepted")


def _check_size(body: bytearray) -> None:
    if len(body) > MAX_BODY:
        raise Unavailable("the service answered with more than any answer holds")
