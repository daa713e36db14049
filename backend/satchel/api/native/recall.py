"""Recall: a question in, ranked hits or an assembled context out."""

from __future__ import annotations

from litestar import Controller, post
from litestar.params import FromPath, JSONBody
from msgspec import UNSET

from satchel.api.access import AnyRequest, ForbiddenError, TheDaemon, check_profile, client_of, sees
from satchel.api.schemas import (
    ContextAnswer,
    ContextRequest,
    Done,
    Hit,
    Hits,
    InjectionReport,
    RecallRequest,
    maybe_moment,
)
from satchel.store import Tx, injections
from satchel.store.search import Filter
from satchel.types import NotFoundError


class RecallController(Controller):
    path = "/v1"
    tags = ("recall",)

    @post("/recall", status_code=200, opt={"scope": "recall"})
    async def recall(self, request: AnyRequest, data: JSONBody[RecallRequest], daemon: TheDaemon) -> Hits:
        """Memories and turns that answer a question, best first; with `explain`, each says why."""
        check_profile(request, data.profile)
        found = await daemon.recall.search(
            data.query,
            profile=data.profile,
            limit=data.limit,
            kinds=data.kinds,
            only=data.filter.to_filter() if data.filter else Filter(),
            external_id=data.external_id,
            at=maybe_moment("at", data.at),
        )
        return Hits(hits=[Hit.of(hit, explain=data.explain) for hit in found])

    @post("/context", status_code=200, opt={"scope": "recall"})
    async def context(self, request: AnyRequest, data: JSONBody[ContextRequest], daemon: TheDaemon) -> ContextAnswer:
        """A block to put before the question: what bears on it, dated and sourced, within budget; "" for nothing.

        With `explain` each hit says why, and what did not reach the threshold is told. Another `threshold` than the
        configured one needs the scope `manage`: who only asks does not decide how much is told.
        """
        check_profile(request, data.profile)
        if data.threshold is not None and not client_of(request).may("manage"):
            raise ForbiddenError("`threshold` needs the scope 'manage'; leave it out, and the configured one counts.")
        assembled = await daemon.recall.context(
            data.query,
            profile=data.profile,
            site=data.site,
            external_id=data.external_id,
            budget=data.budget_tokens,
            style=data.style,
            at=maybe_moment("at", data.at),
            kinds=data.kinds,
            only=Filter(not_from=data.not_from, ids=data.only),
            special=data.special,
            threshold=data.threshold,
            explain=data.explain,
        )
        return ContextAnswer(
            context=assembled.context,
            prompt=assembled.prompt,
            tokens=assembled.tokens,
            hits=[Hit.of(hit, explain=data.explain) for hit in assembled.hits],
            injection_id=assembled.injection_id,
            threshold=assembled.threshold if data.explain else UNSET,
            below=[Hit.of(hit, explain=True) for hit in assembled.below] if data.explain else UNSET,
        )

    @post("/injections/{injection_id:str}", status_code=200, opt={"scope": "recall"})
    async def inserted(
        self, request: AnyRequest, injection_id: FromPath[str], data: JSONBody[InjectionReport], daemon: TheDaemon
    ) -> Done:
        """Reports what was really inserted, and where: only that is not offered there again."""

        def report(tx: Tx) -> str:
            profile = injections.profile_of(tx.db, injection_id)
            if not sees(request, profile):
                raise NotFoundError(f"There is no injection {injection_id[:64]!r}; ask for the context again.")
            injections.inserted(tx, injection_id, data.inserted, external_id=data.external_id)
            return profile

        daemon.events.publish("inserted", await daemon.store.write(report), id=injection_id)
        return Done()
