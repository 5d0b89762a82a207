"""For tests of shops: a fake consent authority, and a pytest plugin whose fixture `consent_authority` gives one."""

from consent_client.testing.authority import FakeAuthority, Rules
from consent_client.testing.visitor import FakeVisitor

__all__ = ["FakeAuthority", "FakeVisitor", "Rules"]
