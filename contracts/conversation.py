"""A conversation: the exchanges of one attempt, in order, each judged as it comes."""

from __future__ import annotations

from dataclasses import replace

from contracts.drafting import Draft
from contracts.hunting import Chase, Inapplicable
from contracts.judging import Judges
from contracts.pool import Item, Pool
from contracts.service import Recorded, Service, Unsendable

_TRIES = 3
"""How often a request that is refused with 429 is sent again, after the time that the service asks for."""


class Conversation:
    """What one attempt says to the service. What replies show of items is remembered in ``pool``."""

    def __init__(self, service: Service, pool: Pool, judges: Judges, chase: Chase) -> None:
        self.service = service
        self.pool = pool
        self.judges = judges
        self.chase = chase
        self.recorded: list[Recorded] = []
        self.shown: tuple[Item, ...] = ()

    def send(self, draft: Draft) -> Recorded:
        """Sends a draft and judges the reply. Raises ``Broken`` for a new finding about this one exchange.

        A reply of 429 is waited for; ``Inapplicable`` where the service goes on refusing. ``shown`` are the items that
        the last reply told of.
        """
        path = draft.path
        for _ in range(_TRIES):
            self.chase.go_on()
            try:
                recorded = self.service.send(draft.request, operation_id=draft.operation_id, caller=draft.caller)
            except Unsendable as error:
                raise Inapplicable(str(error)) from None
            self.recorded.append(recorded)
            self.shown = self.pool.observe(recorded, path)
            for finding in self.judges(recorded):
                self.chase.meet(replace(finding, sequence=tuple(self.recorded), seed=self.chase.hunt.seed))
            if recorded.status != 429 or not self.service.wait_for(recorded):
                break
        if recorded.status == 429:
            raise Inapplicable("the service refuses more requests (429)")
        return recorded
