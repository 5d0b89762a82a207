"""Publishing policies: read, check, compare with what is in force, then store for good."""

from dataclasses import dataclass
from hashlib import sha256

from consent_service.domain.errors import Fault, PolicyInvalid
from consent_service.domain.evidence.canonical import NotCanonical, canonical_json
from consent_service.domain.policy import Policy
from consent_service.domain.policy_changes import check_announced
from consent_service.domain.policy_document import read_policy
from consent_service.ports import Catalog, Clock, StoredPolicy
from consent_service.service.sites import Sites


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes policy versions."""

    catalog: Catalog
    sites: Sites
    clock: Clock
    at_once: bool = False
    """A development setting: a version that widens tracking needs no 24 hours' notice."""

    async def publish(self, document: object) -> StoredPolicy:
        """Publish a document; the same again is answered with what is stored.

        Raises PolicyInvalid with every fault, PolicyVersionExists where the version's name is taken.
        """
        policy, content = check_document(document)
        await self.sites.refresh()
        now = self.clock()
        stored = StoredPolicy(
            policy.site, policy.version, sha256(content).hexdigest(), now, policy.effective_from, content
        )
        known = [v for site in self.sites.all() if site.slug == policy.site for v in site.versions]
        same = next((v.stored for v in known if v.stored.sha256 == stored.sha256), None)
        if same is not None:
            return same
        if known and not self.at_once and policy.version not in {v.policy.version for v in known}:
            check_announced(self.sites.get(policy.site).current(now).policy, policy, now)
        await self.catalog.add_policy(stored)
        await self.sites.refresh(force=True)
        return stored


def check_document(document: object) -> tuple[Policy, bytes]:
    """Read and check a document; gives the policy and the canonical JSON that is stored and hashed."""
    policy = read_policy(document)
    try:
        return policy, canonical_json(document)
    except NotCanonical as error:
        raise PolicyInvalid("The policy cannot be stored.", (Fault("", "not-canonical", str(error)),)) from error
