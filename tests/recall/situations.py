"""One invented person, what Satchel remembers of her, and what she asks: for some of it something must be
found, for the rest nothing may be."""

from __future__ import annotations

from satchel.times import parse_iso
from satchel.types import Candidate, SaidBy, Source, Status

MEMORIES: dict[str, tuple[str, str, str]] = {
    "vet": ("fact", "The user is Nadia, a vet in Turin.", "2026-01-10"),
    "practice": ("fact", "The user runs a small animal practice with two colleagues.", "2026-01-10"),
    "phone": ("explicit_preference", "The user can't stand phone calls and prefers e-mail.", "2026-01-10"),
    "trip": (
        "event",
        "The user has decided to go to Guangzhou for the summer vacation, and chose 7 Days Inn.",
        "2025-06-10",
    ),
    "hotels": (
        "implicit_preference",
        "The user may prefer chain hotels like 7 Days Inn over All Seasons or Hilton.",
        "2025-06-10",
    ),
    "vegetarian": ("explicit_preference", "The user is vegetarian.", "2025-09-02"),
    "trains": ("explicit_preference", "The user prefers trains to planes.", "2025-09-14"),
    "daughter": ("fact", "The user's daughter Mia is allergic to peanuts.", "2025-10-01"),
    "birthday": (
        "event",
        "Mia's seventh birthday party was on 14 February 2026 at the climbing hall.",
        "2026-02-15",
    ),
    "dog": ("fact", "The user has a border collie called Biscuit.", "2025-10-05"),
    "rust": ("fact", "The user is learning Rust and has written Python for ten years.", "2025-11-20"),
    "oven": ("fact", "The user's oven broke and the repair took three weeks.", "2025-11-18"),
    "knee": ("fact", "The user had surgery on the left knee in 2023.", "2025-12-01"),
    "running": ("fact", "The user is training for the Turin half marathon in May.", "2026-02-20"),
    "jazz": ("explicit_preference", "The user loves jazz, Bill Evans above all.", "2025-08-08"),
    "horror": ("explicit_preference", "The user hates horror films.", "2025-08-09"),
    "novel": ("implicit_preference", "The user may enjoy long historical novels.", "2025-08-20"),
    "flat": ("fact", "The user rents a flat near the river Po.", "2025-07-01"),
    "budget": ("fact", "The user saves 400 euros a month for a deposit on a house.", "2026-01-20"),
    "car": ("fact", "The user drives a 2014 Fiat Panda.", "2025-07-11"),
    "brother": ("fact", "The user's brother Luca lives in Lyon and works as a chef.", "2025-07-21"),
    "coffee": ("explicit_preference", "The user drinks espresso only before noon.", "2025-09-09"),
    "sleep": ("fact", "The user sleeps badly since the night shifts.", "2026-02-02"),
    "german": ("fact", "The user takes German lessons on Tuesdays, at level B1.", "2025-10-10"),
    "chess": ("fact", "The user plays chess online as nadia_knight.", "2025-12-12"),
    "brevity": ("instruction", "The user wants answers without bullet points.", "2025-11-01"),
    "metric": ("instruction", "The user wants recipes with metric measures.", "2025-11-02"),
    "garden": ("fact", "The user grows tomatoes and basil on the balcony.", "2025-06-20"),
    "gift": ("event", "The user gave Luca a cast-iron pan for his birthday in November 2025.", "2025-11-25"),
    "mother": ("fact", "The user's mother Elena moved into a care home in January 2026.", "2026-01-30"),
}
TURNS: dict[str, tuple[SaidBy, str, str]] = {
    "t-conference": (
        "user",
        "I gave my talk about feline kidney disease at the Bologna congress yesterday, it went well.",
        "2026-02-08",
    ),
    "t-question": ("user", "How do I reverse a list in Python?", "2025-11-19"),
    "t-answer": (
        "assistant",
        "You can reverse a list in Python with reversed() or with slicing.",
        "2025-11-19",
    ),
    "t-capital": ("assistant", "Paris is the capital of France.", "2025-11-30"),
    "t-landlord": (
        "user",
        "My landlord, Mr Ferrero, wants to raise the rent to 950 euros from April. I don't know what to say.",
        "2026-02-27",
    ),
    "t-thanks": ("user", "Thanks, that helps a lot!", "2026-02-27"),
}

WANTED: dict[str, set[str]] = {
    "I want to go out during the National Day holiday. Recommend a city I haven't been to and a hotel brand "
    "I haven't stayed at.": {"trip", "hotels"},
    "Write my vet practice's holiday greeting": {"vet"},
    "plan a dinner menu": {"vegetarian"},
    "how should I travel to Berlin?": {"trains"},
    "What should I get my brother for Christmas?": {"brother", "gift"},
    "Snack ideas for Mia's school trip": {"daughter"},
    "How do I get faster for my race without hurting my knee?": {"knee", "running"},
    "Suggest a film for tonight": {"horror"},
    "Recommend some music for a quiet evening": {"jazz"},
    "Which book should I read on my holiday?": {"novel"},
    "When was Mia's birthday party?": {"birthday"},
    "What is my dog's name?": {"dog"},
    "What does Luca do for a living?": {"brother"},
    "Where did I give my talk?": {"t-conference"},
    "Draft a reply to my landlord about the rent": {"t-landlord"},
    "Give me a recipe for a quick lunch": {"vegetarian", "metric"},
    "How often should I wash a border collie?": {"dog"},
    "Is my Fiat due for an inspection?": {"car"},
    "Tips for falling asleep after a night shift": {"sleep"},
    "What should I plant on the balcony next to the tomatoes?": {"garden"},
    "How can I reach a B2 level in German?": {"german"},
    "How long until I can afford a house deposit?": {"budget"},
    "How is my mother settling into the care home?": {"mother"},
}
GENERIC: tuple[str, ...] = (
    "hi",
    "Thanks!",
    "what is the capital of France",
    "write a python function to reverse a list",
    "translate this to German: the weather is nice today",
    "What is 17 times 23?",
    "Explain quantum entanglement in simple terms",
    "Who wrote Moby-Dick?",
    "How do I undo the last commit in git?",
    "Summarise the plot of Hamlet",
    "What is the difference between TCP and UDP?",
    "Fix the grammar: he don't know nothing",
    "Convert 5 miles to kilometres",
    "How many moons does Jupiter have?",
    "Write a haiku about autumn",
    "What does the HTTP status 418 mean?",
    "Explain the French Revolution",
    "SQL query to find duplicate rows",
    "Why is the sky blue?",
    "How does photosynthesis work?",
    "Write a regex that matches an e-mail address",
    "List the planets in order",
    "What is the GDP of Japan?",
    "Center a div in CSS",
)


def candidates() -> dict[str, Candidate]:
    """All of the above as candidates that no recaller has touched yet."""
    made = {name: candidate(name, text, kind=kind, date=date) for name, (kind, text, date) in MEMORIES.items()}
    for name, (said_by, text, date) in TURNS.items():
        made[name] = candidate(name, text, kind="turn", date=date, said_by=said_by)
    return made


def candidate(
    name: str,
    text: str,
    *,
    kind: str = "fact",
    date: str = "2026-01-01",
    said_by: SaidBy = "user",
    status: Status = "active",
    quotes: dict[str, str] | None = None,
    similarity: float | None = None,
    lexical: float = 0.0,
    valid_to: int | None = None,
    reasoning: str | None = None,
    score: float = 0.0,
    pinned: bool = False,
) -> Candidate:
    quotes = {name: text} if kind == "turn" else quotes or {}
    return Candidate(
        type="turn" if kind == "turn" else "memory",
        id=name,
        kind=kind,
        text=text,
        said_by=said_by,
        conversation_id="c-" + name,
        site="example",
        sources=tuple(
            Source(message_id=message, conversation_id="c-" + message, start=0, end=len(quote), quote=quote)
            for message, quote in quotes.items()
        ),
        time=parse_iso(date),
        status=status,
        valid_from=parse_iso(date),
        valid_to=valid_to,
        reasoning=reasoning,
        similarity=similarity,
        lexical=lexical,
        score=score,
        pinned=pinned,
    )
