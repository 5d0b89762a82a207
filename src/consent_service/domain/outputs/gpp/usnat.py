"""Section 7, `usnat`: the United States under the industry's national approach (version 2 written, 1 and 2 read)."""

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

SECTION = 7
_LISTS = {1: (12, 2), 2: (16, 3)}
"""By version: how many kinds of sensitive data and how many age brackets have a field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsNat:
    """The section's fields in their order on the wire, each 0 where it does not apply; defaults as in the library."""

    version: int = 2
    sharing_notice: int = 0
    sale_opt_out_notice: int = 0
    sharing_opt_out_notice: int = 0
    targeted_advertising_opt_out_notice: int = 0
    sensitive_data_processing_opt_out_notice: int = 0
    sensitive_data_limit_use_notice: int = 0
    sale_opt_out: int = 0
    sharing_opt_out: int = 0
    targeted_advertising_opt_out: int = 0
    sensitive_data_processing: tuple[int, ...] = (0,) * 16
    known_child_sensitive_data_consents: tuple[int, ...] = (0,) * 3
    """The brackets 13 to 16, under 13, 16 to 17, in this order; version 1 lacks the last."""
    personal_data_consents: int = 0
    mspa_covered_transaction: int = 1
    mspa_opt_out_option_mode: int = 0
    mspa_service_provider_mode: int = 0
    gpc: bool | None = None
    """None where the sub-section is missing."""


def encode_usnat(section: UsNat) -> str:
    """Write the section, with its GPC sub-section where it has one."""
    answers = (
        section.sharing_notice,
        section.sale_opt_out_notice,
        section.sharing_opt_out_notice,
        section.targeted_advertising_opt_out_notice,
        section.sensitive_data_processing_opt_out_notice,
        section.sensitive_data_limit_use_notice,
        section.sale_opt_out,
        section.sharing_opt_out,
        section.targeted_advertising_opt_out,
        *section.sensitive_data_processing,
        *section.known_child_sensitive_data_consents,
        section.personal_data_consents,
        section.mspa_covered_transaction,
        section.mspa_opt_out_option_mode,
        section.mspa_service_provider_mode,
    )
    core = encode_core(section.version, answers)
    return core if section.gpc is None else f"{core}.{encode_gpc(section.gpc)}"


def read_usnat(text: str, start: int) -> UsNat:
    """Read the section, which begins at this position of the whole string."""
    core, gpc = split_section(text, start)
    reader = BitReader(core, start)
    version = read_version(reader, _LISTS)
    sensitive, brackets = _LISTS[version]
    section = UsNat(
        version=version,
        sharing_notice=read_answer(reader),
        sale_opt_out_notice=read_answer(reader),
        sharing_opt_out_notice=read_answer(reader),
        targeted_advertising_opt_out_notice=read_answer(reader),
        sensitive_data_processing_opt_out_notice=read_answer(reader),
        sensitive_data_limit_use_notice=read_answer(reader),
        sale_opt_out=read_answer(reader),
        sharing_opt_out=read_answer(reader),
        targeted_advertising_opt_out=read_answer(reader),
        sensitive_data_processing=read_answers(reader, sensitive),
        known_child_sensitive_data_consents=read_answers(reader, brackets),
        personal_data_consents=read_answer(reader),
        mspa_covered_transaction=read_answer(reader),
        mspa_opt_out_option_mode=read_answer(reader),
        mspa_service_provider_mode=read_answer(reader),
        gpc=gpc,
    )
    reader.finish()
    return section
