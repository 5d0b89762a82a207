"""Section 8, `usca`: California (version 1)."""

from dataclasses import dataclass

from consent_service.domain.outputs.gpp.bits import BitReader
from consent_service.domain.outputs.gpp.us_fields import (
    encode_core,
    encode_gpc,
    read_answer,
    read_answers,
    read_version,
    split_section,
)

SECTION = 8
_VERSION = 1
_SENSITIVE = 9
_CHILD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class UsCa:
    """The section's fields in their order on the wire, each 0 where it does not apply; defaults as in the library."""

    sale_opt_out_notice: int = 0
    sharing_opt_out_notice: int = 0
    sensitive_data_limit_use_notice: int = 0
    sale_opt_out: int = 0
    sharing_opt_out: int = 0
    sensitive_data_processing: tuple[int, ...] = (0,) * _SENSITIVE
    known_child_sensitive_data_consents: tuple[int, ...] = (0,) * _CHILD
    """Consent to sell, then to share, what is known of a consumer under 16."""
    personal_data_consents: int = 0
    mspa_covered_transaction: int = 1
    mspa_opt_out_option_mode: int = 0
    mspa_service_provider_mode: int = 0
    gpc: bool | None = None
    """None where the sub-section is missing."""


def encode_usca(section: UsCa) -> str:
    """Write the section, with its GPC sub-section where it has one."""
    answers = (
        section.sale_opt_out_notice,
        section.sharing_opt_out_notice,
        section.sensitive_data_limit_use_notice,
        section.sale_opt_out,
        section.sharing_opt_out,
        *section.sensitive_data_processing,
        *section.known_child_sensitive_data_consents,
        section.personal_data_consents,
        section.mspa_covered_transaction,
        section.mspa_opt_out_option_mode,
        section.mspa_service_provider_mode,
    )
    core = encode_core(_VERSION, answers)
    return core if section.gpc is None else f"{core}.{encode_gpc(section.gpc)}"


def read_usca(text: str, start: int) -> UsCa:
    """Read the section, which begins at this position of the whole string."""
    core, gpc = split_section(text, start)
    reader = BitReader(core, start)
    read_version(reader, (_VERSION,))
    section = UsCa(
        sale_opt_out_notice=read_answer(reader),
        sharing_opt_out_notice=read_answer(reader),
        sensitive_data_limit_use_notice=read_answer(reader),
        sale_opt_out=read_answer(reader),
        sharing_opt_out=read_answer(reader),
        sensitive_data_processing=read_answers(reader, _SENSITIVE),
        known_child_sensitive_data_consents=read_answers(reader, _CHILD),
        personal_data_consents=read_answer(reader),
        mspa_covered_transaction=read_answer(reader),
        mspa_opt_out_option_mode=read_answer(reader),
        mspa_service_provider_mode=read_answer(reader),
        gpc=gpc,
    )
    reader.finish()
    return section
