"""Forms as browsers send them: small, and only from the shop's own pages."""

from urllib.parse import parse_qs, urlsplit

from fastapi import HTTPException, Request

_MOST_BYTES = 4_096


async def read_form(request: Request) -> dict[str, str]:
    """Read a form's fields; of equal names the last counts. Raises HTTPException for what no page of ours sends."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise HTTPException(403)
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_BYTES:
            raise HTTPException(413)
    try:
        fields = parse_qs(bytes(body).decode("utf-8"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise HTTPException(400) from None
    return {name: values[-1].strip() for name, values in fields.items()}


def back_to(form: dict[str, str]) -> str:
    """Give the page of ours that a form names, else the first one: nobody is sent to another host."""
    parts = urlsplit(form.get("back", "/").replace("\\", "/"))
    path = parts.path
    return path if path.startswith("/") and not path.startswith("//") and not parts.netloc else "/"
