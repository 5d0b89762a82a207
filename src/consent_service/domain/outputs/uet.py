"""Microsoft Advertising's UET consent mode (OUT-03; learn.microsoft.com, hlp_ba_conc_uet_consent)."""

from consent_service.domain.outputs.state import OutputState


def uet(state: OutputState) -> dict[str, object]:
    """Give the parameter of `uetq.push('consent', 'default' or 'update', …)`."""
    return {"ad_storage": "granted" if state.advertising else "denied"}
