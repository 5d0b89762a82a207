"""The outputs by the name that the HTTP contract gives them; `gpp` stands apart since a site has to switch it on."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from consent_service.domain.outputs.clarity import clarity
from consent_service.domain.outputs.google import google
from consent_service.domain.outputs.meta import meta
from consent_service.domain.outputs.shopify import shopify
from consent_service.domain.outputs.state import OutputState
from consent_service.domain.outputs.uet import uet
from consent_service.domain.outputs.wordpress import wordpress

Output = Callable[[OutputState], dict[str, object]]

FORMATS: Mapping[str, Output] = MappingProxyType(
    {
        "google": google,
        "uet": uet,
        "clarity": clarity,
        "meta": meta,
        "shopify": shopify,
        "wordpress": wordpress,
    }
)
