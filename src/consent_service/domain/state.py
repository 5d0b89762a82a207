"""The visitor's consent as every read and write answers it: choices and decisions side by side (contract §4)."""

from dataclasses import dataclass
from datetime import datetime

from consent_service.domain.decision import Decision, Situation, decide_categories, lapse
from consent_service.domain.record import CategoryChoice
from consent_service.domain.vocabulary import CATEGORIES, Category, Channel, Choice, Reason, Regime


@dataclass(frozen=True, slots=True)
class ConsentState:
    """A situation together with what was decided in it, for all eight categories in their order."""

    situation: Situation
    decisions: tuple[Decision, ...]
    known_prompt: bool | None = None
    """Whether to ask, where that was found out with the decisions."""

    @property
    def vector(self) -> str:
        """Give the decisions as eight characters `1` and `0`, the readable half of `consent_state`."""
        return "".join("1" if decision.allow else "0" for decision in self.decisions)

    def choice(self, category: Category) -> CategoryChoice | None:
        """Give the choice for the web that counts."""
        return self.situation.choice(category, Channel.WEB)

    @property
    def expires_at(self) -> datetime | None:
        """Give when the first of the choices lapses; None where there is none."""
        moments = [c.expires_at for c in map(self.choice, CATEGORIES) if c is not None]
        return min(moments, default=None)

    @property
    def prompt(self) -> bool:
        """Tell whether the banner should ask."""
        return should_prompt(self.situation) if self.known_prompt is None else self.known_prompt


def consent_state(situation: Situation) -> ConsentState:
    """Decide all eight categories."""
    return ConsentState(situation, decide_categories(situation))


def should_prompt(s: Situation) -> bool:
    """Tell whether to ask: where a grant is needed, not before its time (CON-09), and for the delta alone (CON-11)."""
    if s.regime is not Regime.OPT_IN:
        return False
    return any(_open(s, category) for category in CATEGORIES if category is not Category.STRICTLY_NECESSARY)


def _open(s: Situation, category: Category) -> bool:
    later = s.record.re_prompt_not_before if s.record is not None else None
    patient = later is not None and s.now < later
    choice = s.choice(category, Channel.WEB)
    if choice is not None and choice.choice is Choice.GRANTED and lapse(s, category, choice) is Reason.POLICY_CHANGED:
        return not (patient and _asked_about(s, category))
    return not patient and (choice is None or s.now >= choice.expires_at)


def _asked_about(s: Situation, category: Category) -> bool:
    # Who has dismissed the question under this version, or one that went as far, has been asked about the delta.
    asked = s.record.policy_version if s.record is not None else None
    return asked is not None and s.rules.covered(asked, category)
