"""Conversations and memories laid into a store word by word, for tests that must know each of them."""

from __future__ import annotations

from collections.abc import Sequence

from satchel.capture.normalise import Captured, CapturedMessage, normalise
from satchel.store import Tx, contradictions, jobs, log, memories
from satchel.types import Draft, Kind, Role, Source, Status

HOSTILE = (
    "<img src=x onerror=document.title='taken'>",
    "<script>document.title='taken'</script>",
    "before \u202egnp.exe\u202c after \u2066isolated",
    "W" * 2000,
    "${constructor.constructor('document.title=1')()}",
    "[Password masked by Satchel] and https://example.org/" + "a" * 300,
    "so very " * 1250,
)
"""What a page, a document or a client may plant in any field."""

Said = tuple[Role, str]


class Talk:
    """A conversation in the log. `messages` are its ids, in order."""

    def __init__(
        self,
        tx: Tx,
        profile: str,
        turns: Sequence[Said],
        *,
        site: str = "chatgpt.com",
        external_id: str = "a",
        title: str | None = "A talk",
    ) -> None:
        self.tx, self.profile = tx, profile
        self.named = {"site": site, "external_id": external_id, "title": title}
        self.contents = {at: content for at, (_, content) in enumerate(turns)}
        self.roles = [role for role, _ in turns]
        recorded = self._record(dict(enumerate(turns)))
        self.id, self.messages = recorded.conversation_id, recorded.message_ids

    def edit(self, at: int, content: str) -> None:
        """The turn says something else from now on."""
        self.contents[at] = content
        self._record({at: (self.roles[at], content)})

    def memory(
        self,
        text: str,
        quote: str,
        *,
        at: int = 0,
        kind: Kind = "fact",
        status: Status = "active",
        reasoning: str | None = None,
    ) -> str:
        """A memory that rests on these words of a turn; its id."""
        start = self.contents[at].index(quote)
        source = Source(
            message_id=self.messages[at], conversation_id=self.id, start=start, end=start + len(quote), quote=quote
        )
        draft = Draft(
            kind=kind, text=text, key="", tags=(), sources=(source,), valid_from=self.tx.now, reasoning=reasoning
        )
        pk = memories.add(self.tx, draft, profile=self.profile, status=status)
        return str(self.tx.db.execute("SELECT id FROM memory WHERE pk = ?", (pk,)).get)

    def _record(self, turns: dict[int, Said]) -> log.Recorded:
        messages = tuple(CapturedMessage(role=role, content=said, id=f"m{at}") for at, (role, said) in turns.items())
        captured = Captured(profile=self.profile, **self.named, url=None, messages=messages)  # type: ignore[arg-type]
        recorded = log.record(
            self.tx,
            profile=self.profile,
            **self.named,
            url=None,
            messages=normalise(captured),  # type: ignore[arg-type]
        )
        if recorded.job_id:
            jobs.complete(self.tx, recorded.job_id, [])
        return recorded


def contradict(tx: Tx, one: str, *others: str) -> None:
    contradictions.add(tx, memories.pk_of(tx.db, one), [memories.pk_of(tx.db, other) for other in others])
