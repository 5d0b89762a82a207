"""The rules of the contract (§5), as far as a signed state and the tracker table can settle them.

The state's vector holds what was allowed by category when it was signed. A tracker follows its category, except
where its own entry differs from the category in what the rules look at; the request's signals come on top and never
allow more. What cannot be settled here is None: the caller denies it, or asks the service.
"""

from dataclasses import dataclass

from consent_client.answers import UNREGISTERED, Answer, allowed
from consent_client.signals import Signals
from consent_client.tokens import State
from consent_client.trackers import Tracker, TrackerTable
from consent_client.vocabulary import ALLOWING_REASONS, CATEGORIES, TRACKING_CATEGORIES


@dataclass(frozen=True, slots=True)
class Rules:
    """One state under one request's signals, with the table of the policy version that it was signed under."""

    state: State
    signals: Signals
    table: TrackerTable

    def category(self, name: str) -> Answer | None:
        """Decide for a category as a whole."""
        if name == "strictly_necessary":
            return allowed("exempt")
        reason = self._reason(name, sells=name in self.table.selling_categories)
        return None if reason is None else allowed(reason)

    def tracker(self, name: str, now: float) -> Answer | None:
        """Decide for a tracker by name; of several entries of one name every one must be allowed."""
        entries = self.table.find(name)
        if not entries:
            return UNREGISTERED
        if len(entries) == 1:
            return self._entry(entries[0], now)
        answers: list[Answer] = []
        for entry in entries:
            answer = self._entry(entry, now)
            if answer is None:
                return None
            answers.append(answer)
        denied = next((answer for answer in answers if not answer.allow), None)
        ages = [answer.max_age for answer in answers if answer.max_age is not None]
        return denied or allowed(answers[0].reason, min(ages, default=None))

    def _entry(self, tracker: Tracker, now: float) -> Answer | None:
        if tracker.surely_exempt or (tracker.exempt_unless_objected and self._bit(tracker.category)):
            return allowed("exempt", tracker.lifetime)
        # E-mail is chosen apart from the web, and the state speaks of the web only.
        if tracker.kind == "email_pixel" or not self._category_speaks_for(tracker):
            return None
        reason = self._reason(tracker.category, sells=tracker.sells_or_shares)
        if reason is None:
            return None
        if reason not in ALLOWING_REASONS:
            # An exemption that holds in some regions, or for members, may still allow it.
            return None if tracker.exempt_basis is not None else allowed(reason)
        if tracker.lifetime is None:
            return allowed(reason)
        # What is left of the choice is not in the state; what is left of the state itself is the surely covered part.
        return allowed(reason, min(tracker.lifetime, max(0, int(self.state.expires_at - now))))

    def _category_speaks_for(self, tracker: Tracker) -> bool:
        """Tell whether the category's bit settles the tracker: nothing it differs in could turn the answer."""
        category_sells = tracker.category in self.table.selling_categories
        if self._bit(tracker.category):
            # A sale needs an opt-in from minors even where silence allows the rest, and a minor is not known here.
            return category_sells or not tracker.sells_or_shares or self.state.regime == "opt_in" or self._sale_off()
        crossing_alone = tracker.category in self.table.crossing_categories and not tracker.cross_border
        return not crossing_alone and (tracker.sells_or_shares or not category_sells)

    def _reason(self, category: str, *, sells: bool) -> str | None:
        if sells and self._sale_off():
            return "gpc" if self.signals.gpc or self.state.gpc else "opted_out"
        tracks = category in TRACKING_CATEGORIES and self.table.dnt_mode != "record"
        if not self._bit(category):
            # Only "0" sent now, over a recorded "1", could allow more than was allowed at signing.
            lifted = tracks and self.state.dnt == "1" and self.signals.dnt == "0"
            return None if lifted else "refused"
        if sells and self.signals.gpc and not self.state.gpc:
            # Under `honor` the sale is off already; else it hangs on a region that the state does not name.
            return None
        if tracks and self.signals.dnt == "1" and self.state.dnt != "1":
            return self._under_new_dnt()
        return "granted"

    def _under_new_dnt(self) -> str | None:
        if self.table.dnt_mode == "strict":
            return "dnt"
        # Under opt-in what is allowed was granted, and in this mode DNT does not override a grant.
        return "granted" if self.state.regime == "opt_in" else None

    def _sale_off(self) -> bool:
        """Tell whether sale and sharing are surely off, by what is recorded or by the signal of this request."""
        return self.state.sale_share_opt_out or (self.signals.gpc and self.table.gpc_mode == "honor")

    def _bit(self, category: str) -> bool:
        return category in CATEGORIES and self.state.vector[CATEGORIES.index(category)] == "1"
