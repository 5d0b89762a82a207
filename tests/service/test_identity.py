"""Who is who without names (IDN-01)."""

from consent_service.service.identity import VISITOR_ID, new_visitor_id

MANY = 100_000


def test_no_visitor_id_comes_twice() -> None:
    """IDN-01: 128 random bits each, and each in the form that the contract names."""
    ids = [new_visitor_id() for _ in range(MANY)]

    assert len(set(ids)) == MANY
    assert [found for found in ids if not VISITOR_ID.fullmatch(found)] == []
