"""Flask: the WSGI middleware, with the visitor's consent in `g.consent` and in templates as `consent`."""

from typing import TYPE_CHECKING, Any

from consent_client.client import ConsentClient
from consent_client.consent import Consent
from consent_client.wsgi import ConsentMiddleware

if TYPE_CHECKING:
    from flask import Flask


def init_app(app: "Flask", client: ConsentClient, **options: Any) -> ConsentMiddleware:  # noqa: ANN401
    """Wrap an application and give the middleware; the options are the middleware's."""
    from flask import g, has_request_context, request  # noqa: PLC0415 - Flask is there where this is called

    middleware = ConsentMiddleware(app.wsgi_app, client, **options)
    app.wsgi_app = middleware  # type: ignore[method-assign]

    def take_consent() -> None:
        g.consent = request.environ["consent"]

    def consent_for_templates() -> dict[str, Consent]:
        return {"consent": request.environ["consent"]} if has_request_context() else {}

    app.before_request(take_consent)
    app.context_processor(consent_for_templates)
    return middleware
