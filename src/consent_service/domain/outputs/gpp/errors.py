"""The one error that reading a GPP string may raise."""

from consent_service.domain.errors import InvalidInput


class GppError(InvalidInput):
    """The GPP string cannot be read."""

    code = "gpp-malformed"
    title = "Malformed GPP string"

    def __init__(self, position: int, message: str) -> None:
        """Say at which character, counted from 0, reading failed and what was expected there (OUT-09)."""
        super().__init__(f"At character {position} of the GPP string: {message}.")
        self.position = position
        self.message = message
