"""Keep everybody out who has not accepted the terms of use that are in force."""

from dataclasses import dataclass, field

from kqi_hub.domain.errors import NotFound, NotPermitted
from kqi_hub.domain.terms import Acceptance, Terms, TermsStore
from kqi_hub.services import terms as services
from kqi_hub.services.desk import Desk
from kqi_hub.services.proving import Who


class TermsNotAccepted(NotPermitted):
    """The person has not accepted the terms of use that are in force."""

    code = "terms-not-accepted"

    def __init__(self) -> None:
        super().__init__(
            "You have not accepted the terms of use that are in force.",
            "Read and accept them on any page of the portal, or with: "
            "kqi terms show, then kqi terms accept VERSION",
        )


@dataclass(frozen=True, slots=True)
class Question:
    """The terms in force, and the person's answer to them so far."""

    terms: Terms
    accepted_at: float | None


@dataclass(slots=True)
class TermsGate:
    """One a process: it asks the database once for each person who has accepted."""

    desk: Desk
    store: TermsStore
    terms: Terms | None = None
    _passed: set[str] = field(default_factory=set)

    async def must_accept(self, person: str) -> bool:
        """Tell whether the person has to read and accept first."""
        if self.terms is None or person in self._passed:
            return False
        must = await self.desk.off_loop(
            lambda: services.must_accept(self.store, self.terms, person)
        )
        if not must:
            self._passed.add(person)
        return must

    async def question(self, person: str) -> Question:
        """Return the terms and the person's answer; NotFound where there are none."""
        terms = self._in_force()
        accepted = await self.desk.off_loop(lambda: self.store.accepted(person))
        at = next((a.accepted_at for a in accepted if a.version == terms.version), None)
        return Question(terms, at)

    async def accept(self, who: Who, version: str) -> Question:
        """Record that the person accepts this version, once; audited.

        Raises Conflict when another version is in force, NotFound where there is none.
        """
        terms = self._in_force()
        said = await self.question(who.person)
        if said.accepted_at is None or version != terms.version:
            now = self.desk.clock.now()
            acceptance = Acceptance(who.person, version, now, who.address)
            await self.desk.off_loop(
                lambda: services.accept(self.store, self.desk.audit, terms, acceptance)
            )
            said = Question(terms, now)
        self._passed.add(who.person)
        return said

    def _in_force(self) -> Terms:
        if self.terms is None:
            raise NotFound(
                "This site has no terms of use.", "There is nothing to accept."
            )
        return self.terms
