"""Pairings that wait: a client asks and shows a code, a person types it on the daemon's side, the client collects.

The client proves with a verifier, of which it gave only the hash, that it is the one that asked (as in PKCE, RFC 7636).
Nothing of this is on disk: a daemon that starts again has forgotten them, and clients ask again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable
from random import Random

import msgspec

from satchel.types import NotFoundError, SatchelError, Scope, TooManyError

LIFETIME_MS = 5 * 60_000
MAX_WAITING = 5
MAX_OF_ONE_ORIGIN = 2
"""An extension waits with one; a second is asked for when the first was lost with the browser's session."""
MAX_OF_PROGRAMS = 3
"""Programs have no origin, and share this."""
MAX_WRONG_VERIFIERS = 5
"""After so many the pairing is over."""
MAX_WRONG_CODES = 10
"""In WRONG_CODES_MS, over all pairings. With five waiting, a guess hits one of 5 billion."""
WRONG_CODES_MS = 5 * 60_000

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""No digits to mistake for letters, and no vowels to make words (RFC 8628, section 6.1)."""
CODE_LENGTH = 8


class GoneError(SatchelError):
    status = 410
    title = "The pairing is over"

    def __init__(self) -> None:
        super().__init__(
            "This pairing is over (expired, refused, delivered, or pushed out) or unknown; ask for a new one."
        )


class WrongVerifierError(SatchelError):
    status = 403
    title = "Wrong verifier"


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What a person allows. `profiles` None: all of them."""

    scopes: tuple[Scope, ...]
    profiles: tuple[str, ...] | None


class Pairing(msgspec.Struct, kw_only=True):
    """`challenge` is the SHA-256 of the verifier in lowercase hex; `asked_at` ms; `grant` None until confirmed."""

    id: str
    client: str
    origin: str | None
    challenge: str
    code: str
    asked_at: int
    wrong_verifiers: int = 0
    grant: Grant | None = None


def shown(code: str) -> str:
    """A code as a person reads it: ABCD-EFGH."""
    return f"{code[: CODE_LENGTH // 2]}-{code[CODE_LENGTH // 2 :]}"


def typed(code: str) -> str:
    """A code as a person types it, brought to the form it is kept in: case, dashes and spaces do not count."""
    return "".join(code.replace("-", "").split()).upper()


class Pairings:
    """At most MAX_WAITING of them, and fewer of one origin. `now` gives the time in ms, `random` the ids and codes: a
    SystemRandom but in tests.

    Not thread-safe: it belongs to the event loop.
    """

    def __init__(self, *, now: Callable[[], int], random: Random) -> None:
        self._now = now
        self._random = random
        self._waiting: dict[str, Pairing] = {}
        self._wrong_codes: list[int] = []

    def ask(self, *, client: str, challenge: str, origin: str | None) -> Pairing:
        """A new pairing that waits for a person; the oldest of its origin, or of the one with the most, makes room.

        Raises TooManyError where all of them are confirmed already.
        """
        self._forget_expired()
        self._make_room(origin)
        taken = {pairing.code for pairing in self._waiting.values()}
        while (code := "".join(self._random.choice(ALPHABET) for _ in range(CODE_LENGTH))) in taken:
            pass
        pairing = Pairing(
            id=f"{self._random.getrandbits(128):032x}",
            client=client,
            origin=origin,
            challenge=challenge,
            code=code,
            asked_at=self._now(),
        )
        self._waiting[pairing.id] = pairing
        return pairing

    def _make_room(self, origin: str | None) -> None:
        """Refusing who comes when it is full would let five asks shut out everybody for five minutes: who asks often
        loses what it asked for before instead. What a person has confirmed stays."""
        of = Counter(pairing.origin for pairing in self._waiting.values())
        too_many = of[origin] >= (MAX_OF_PROGRAMS if origin is None else MAX_OF_ONE_ORIGIN)
        if not too_many and len(self._waiting) < MAX_WAITING:
            return
        going = [
            pairing
            for pairing in self._waiting.values()
            if pairing.grant is None and (pairing.origin == origin or not too_many)
        ]
        if not going:
            raise TooManyError(
                "So many clients are confirmed and have not collected their tokens yet: let them, or ask again in "
                f"{LIFETIME_MS // 60_000} minutes.",
                retry_after=min(self.expires_in(pairing) for pairing in self._waiting.values()),
            )
        del self._waiting[max(going, key=lambda pairing: of[pairing.origin]).id]  # the first of them: the oldest

    def collect(self, pairing_id: str, verifier: str, *, origin: str | None) -> Pairing:
        """The pairing with its `grant`, once, or without one while it waits. Raises GoneError, WrongVerifierError.

        To another origin than asked it is one that does not exist, and its tries are not used up.
        """
        self._forget_expired()
        pairing = self._waiting.get(pairing_id)
        if pairing is None or pairing.origin != origin:
            raise GoneError
        digest = hashlib.sha256(verifier.encode("utf-8", "surrogatepass")).hexdigest()
        if not hmac.compare_digest(digest, pairing.challenge):
            pairing.wrong_verifiers += 1
            if pairing.wrong_verifiers >= MAX_WRONG_VERIFIERS:
                del self._waiting[pairing_id]
            raise WrongVerifierError("This is not the verifier whose SHA-256 was sent as `challenge`.")
        if pairing.grant is not None:
            del self._waiting[pairing_id]
        return pairing

    def find(self, code: str) -> Pairing:
        """The one that waits with this code. Raises NotFoundError, and TooManyError after too many wrong codes."""
        self._forget_expired()
        if len(self._wrong_codes) >= MAX_WRONG_CODES:
            raise TooManyError(
                f"{MAX_WRONG_CODES} wrong codes were typed: wait {WRONG_CODES_MS // 60_000} minutes, then type the "
                "code that the client shows by then.",
                retry_after=-((self._now() - self._wrong_codes[0] - WRONG_CODES_MS) // 1000),
            )
        given = typed(code).encode("utf-8", "surrogatepass")
        found = None
        for pairing in self._waiting.values():  # to the end, so that the time tells nothing
            same = hmac.compare_digest(pairing.code.encode(), given)
            if same and pairing.grant is None:
                found = pairing
        if found is None:
            self._wrong_codes.append(self._now())
            raise NotFoundError(
                "No client waits with this code; compare it again, or let the client ask anew: a code holds for "
                f"{LIFETIME_MS // 60_000} minutes."
            )
        return found

    def decide(self, pairing_id: str, code: str, grant: Grant | None) -> None:
        """Confirms the pairing with what is granted, or refuses it (None). Raises NotFoundError, TooManyError."""
        pairing = self.find(code)
        if pairing.id != pairing_id:
            self._wrong_codes.append(self._now())
            raise NotFoundError("Another client waits with this code: look it up again before you decide.")
        if grant is None:
            del self._waiting[pairing_id]
        else:
            pairing.grant = grant

    def waiting(self) -> int:
        """How many wait for a person."""
        self._forget_expired()
        return sum(pairing.grant is None for pairing in self._waiting.values())

    def expires_in(self, pairing: Pairing) -> int:
        """Whole seconds for which it still holds, at least 1 while it does."""
        return -((self._now() - pairing.asked_at - LIFETIME_MS) // 1000)

    def _forget_expired(self) -> None:
        # A clock that was set back must not keep any of them alive.
        now = self._now()
        self._waiting = {i: p for i, p in self._waiting.items() if 0 <= now - p.asked_at < LIFETIME_MS}
        self._wrong_codes = [at for at in self._wrong_codes if 0 <= now - at < WRONG_CODES_MS]
