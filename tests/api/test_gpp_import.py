"""A GPP string from elsewhere that cannot be read is the caller's fault and said so (OUT-09)."""

from consent_service.api.problems import error_response
from consent_service.domain.outputs.gpp.errors import GppError


def test_a_malformed_string_is_a_422_that_names_the_position() -> None:
    """OUT-09: no operation takes such strings yet; one that does answers this, and never 500."""
    answer = error_response("00000000-0000-4000-8000-000000000000", GppError(7, "a base64url character is expected"))

    assert answer.status_code == 422
    assert b"At character 7 of the GPP string" in answer.body
    assert b'"code":"gpp-malformed"' in answer.body
