"""One line of an import: the members of a consent's body, with whose it is and when it was said (docs/importing.md)."""

from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from consent_service.api.problems import validation_failed
from consent_service.api.schemas.consent import NO_NUL, ConsentSubmission, VisitorId
from consent_service.api.strict_json import strict_json
from consent_service.domain.errors import ConsentError, InvalidInput
from consent_service.domain.regions import parse_region
from consent_service.service.importing import Imported


class ImportLine(ConsentSubmission):
    """What one visitor said in the other system."""

    method: Literal["import"] = "import"
    action: Literal["accept_all", "reject_all", "custom"]
    policy_version: Annotated[str, Field(min_length=1, max_length=64, pattern=NO_NUL)] | None = None  # type: ignore[assignment] # the one in force
    decided_at: Annotated[str, Field(max_length=40)]
    reference: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00\t\r\n]*$")] | None = None
    visitor_id: VisitorId | None = None
    region: Annotated[str, Field(max_length=16)] | None = None

    @model_validator(mode="after")
    def _names_one(self) -> "ImportLine":
        if (self.reference is None) == (self.visitor_id is None):
            raise ValueError("either reference or visitor_id is expected")
        return self

    def imported(self) -> Imported:
        """Give the line as the use case takes it; raises InvalidInput."""
        return Imported(
            reference=self.reference,
            visitor_id=self.visitor_id,
            submission=self.submission(),
            policy_version=self.policy_version,
            locale=self.locale,
            region=parse_region(self.region) if self.region is not None else None,
            signals=self.signals,
        )


def import_line(text: str) -> Imported | str:
    """Read one line; gives a sentence where it cannot be stored, without the submitted values."""
    try:
        return ImportLine.model_validate(strict_json(text.encode("utf-8", "surrogateescape"))).imported()
    except ValidationError as error:
        return _sentence(validation_failed(error.errors()))
    except InvalidInput as error:
        return _sentence(error)
    except ConsentError as error:
        return error.detail


def _sentence(error: InvalidInput) -> str:
    return "; ".join(f"{fault.pointer or '/'}: {fault.message}" for fault in error.faults) or error.detail
