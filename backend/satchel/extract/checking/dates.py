"""When a clause speaks of: relative dates resolved against the time its message was sent.

A conservative pattern of our own finds the phrases, so that "may", "sun", "a second" and "march on" are
never taken for dates; `dateparser` reads the ones that name a point in time, plain arithmetic the spans
(weeks, months, seasons). Days are days in UTC: the log does not know the user's zone."""

from __future__ import annotations

import itertools
import re
import warnings
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Literal

import msgspec

from satchel.extract.language.english import is_past
from satchel.extract.language.words import words
from satchel.times import EPOCH, to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable

Grain = Literal["day", "weekend", "week", "month", "season", "year"]

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "a couple of": 2,
}  # fmt: skip

_MONTH = r"(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_MON = r"(?-i:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?"
_DAY = r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
_COUNT = r"(?:\d{1,3}|a couple of|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_CLOCK = r"(?:\s+at\s+\d{1,2}(?::\d\d)?(?:\s*[ap]\.?m\b)?)?"
_ORDINAL = r"\d{1,2}(?:st|nd|rd|th)?"

_PHRASE = re.compile(
    rf"""(?<![\w-])(?:
      (?P<iso>\d{{4}}-\d\d-\d\d)
    | (?P<point>(?:(?:the\ )?day\ (?:before\ yesterday|after\ tomorrow)|yesterday|today|tonight|tomorrow|last\ night
        |this\ (?:morning|afternoon|evening))(?:\ (?:morning|afternoon|evening|night))?{_CLOCK})
    | (?P<weekon>(?:a|one)\ week\ (?:on|from|this|next)\ (?P<weekonday>{_DAY}|today|tomorrow)
        |(?:on\ )?(?P<dayweek>{_DAY})\ week)
    | (?P<ago>{_COUNT}\ (?:day|week|month|year)s?\ (?:ago|from\ now)(?:\ this\ (?:month|week))?)
    | in\ (?P<ahead>{_COUNT}\ (?:day|week|month|year)s?)(?:'s?\ time)?(?!\ (?:a|per|of|or|to)\b)
    | (?P<span>(?P<which>last|next|this\ coming|this\ past|this)\ (?P<unit>weekend|week|month|year|{_DAY}
        |spring|summer|autumn|fall|winter|{_MONTH}))
    | (?:on|by|until|till|since)\ (?P<weekday>{_DAY}){_CLOCK}
    | (?P<dated>(?:the\ )?{_ORDINAL}\ (?:of\ )?(?:{_MONTH}|{_MON})(?:,?\ \d{{4}})?
        |(?:{_MONTH}|{_MON})\ {_ORDINAL}(?:,?\ \d{{4}})?(?![\d:%.-]))
    | (?P<monthyear>{_MONTH}\ (?:of\ )?\d{{4}})
    | (?:in|since|by|until|till|during)\ (?P<month>(?-i:January|February|March|April|May|June|July|August
        |September|October|November|December))
    | (?:in|since|until|till|during)\ (?P<year>(?:19|20)\d\d)(?!\ ?(?:%|[a-z]{{1,2}}\b))
    )(?!\w)""",
    re.IGNORECASE | re.VERBOSE,
)
_HABIT = re.compile(r"\b(?:every|each|any)\s+\Z", re.IGNORECASE)
_CHINESE = re.compile(
    r"(?P<day>大前天|前天|昨天|今天|明天|后天)|(?P<cspan>上周|这周|下周|上个月|这个月|下个月|去年|今年|明年)"
    r"|(?P<cy>(?:19|20)\d\d)年(?:(?P<cm>\d{1,2})月(?:(?P<cd>\d{1,2})[日号])?)?"
)
_CHINESE_DAYS = {"大前天": -3, "前天": -2, "昨天": -1, "今天": 0, "明天": 1, "后天": 2}


_FOREIGN_MONTHS = (
    "januar|janvier|enero|gennaio|janeiro|januari",
    "februar|février|febrero|febbraio|fevereiro|februari",
    "märz|mars|marzo|março|maart",
    "april|avril|abril|aprile",
    "mai|mayo|maggio|maio|mei",
    "juni|juin|junio|giugno|junho",
    "juli|juillet|julio|luglio|julho",
    "august|août|agosto|augustus",
    "september|septembre|septiembre|settembre|setembro",
    "oktober|octobre|octubre|ottobre|outubro",
    "november|novembre|noviembre|novembro",
    "dezember|décembre|diciembre|dicembre|dezembro|december",
)
_FOREIGN_POINTS = {
    "vorgestern": -2, "gestern": -1, "heute": 0, "übermorgen": 2, "avant-hier": -2, "hier": -1, "aujourd'hui": 0,
    "après-demain": 2, "demain": 1, "anteayer": -2, "ayer": -1, "hoy": 0, "pasado mañana": 2, "ieri": -1, "oggi": 0,
    "dopodomani": 2, "domani": 1, "anteontem": -2, "ontem": -1, "hoje": 0, "amanhã": 1, "eergisteren": -2,
    "gisteren": -1, "vandaag": 0, "overmorgen": 2, "一昨日": -2, "昨日": -1, "今日": 0, "明日": 1, "明後日": 2,
}  # fmt: skip
"""Only in a clause that has no English in it: "hoy" is a word, "hier" is two."""
_FOREIGN_SPANS = {
    ("last", "week"): r"letzte\w? woche|la semaine dernière|la semana pasada"
    r"|la settimana scorsa|a semana passada|vorige week|先週",
    ("next", "week"): r"nächste\w? woche|la semaine prochaine|la (?:próxima semana|semana que viene)"
    r"|la prossima settimana|a próxima semana|volgende week|来週",
    ("last", "month"): r"letzten monat|le mois dernier|el mes pasado|il mese scorso|o mês passado|vorige maand|先月",
    ("next", "month"): r"nächsten monat|le mois prochain|el (?:próximo mes|mes que viene)"
    r"|il prossimo mese|o próximo mês|volgende maand|来月",
    ("last", "year"): r"letztes jahr|l'an(?:née)? dernier|l'année dernière|el año pasado|l'anno scorso|o ano passado"
    r"|vorig jaar|去年|昨年",
    ("next", "year"): r"nächstes jahr|l'an(?:née)? prochaine?|el (?:próximo año|año que viene)|l'anno prossimo"
    r"|o próximo ano|volgend jaar|来年",
}  # fmt: skip
_FOREIGN = re.compile(
    "|".join(
        (
            *(
                rf"(?P<s{number}>(?<![^\W\d_])(?:{phrases})(?![a-zà-ÿ]))"
                for number, phrases in enumerate(_FOREIGN_SPANS.values())
            ),
            r"(?<!\w)(?:seit(?: dem)?|ab|im|in|depuis|dès|en|desde|de|dal|da|a partir de|sinds|vanaf"
            r"|op|am|le|el|il|den|o|dia)"
            r" (?:(?P<day>\d{1,2})(?:\.|er|º|°)? (?:de )?)?"
            rf"(?P<name>{'|'.join(_FOREIGN_MONTHS)})(?: (?:de )?(?P<year>(?:19|20)\d\d))?(?!\w)",
            rf"(?P<point>(?<!\w)(?:{'|'.join(sorted(_FOREIGN_POINTS, key=len, reverse=True))})(?![a-zà-ÿ-]))",
        )
    ),
    re.IGNORECASE,
)
_ENGLISH = re.compile(r"\b(?:the|i'm|my|was|of|and|we|have)\b", re.IGNORECASE)
_FOREIGN_PAST = re.compile(r"\b(?:seit|depuis|desde|dal|da|sinds)\b", re.IGNORECASE)


MAX_DATES = 4
"""Phrases of a clause that are resolved: `dateparser` takes some 30 ms for each."""


class When(msgspec.Struct, frozen=True, kw_only=True):
    """A phrase such as "next week" at `clause[start:end]`, and the first day that it names (ms, 00:00 UTC).

    `label` is what may be appended in brackets: "2025-06-11", "week of 2025-06-16", "2025-07", "2024".
    `relative`: the words alone do not say when, so the label tells the reader something.
    """

    words: str
    start: int
    end: int
    time: int
    grain: Grain
    label: str
    relative: bool


def find(clause: str, said_at: int) -> tuple[When, ...]:
    """The dates in `clause`, which was said at `said_at` (ms), in their order. Never raises."""
    base = to_datetime(said_at).replace(hour=12, minute=0, second=0, microsecond=0)
    past = any(is_past(word.casefold()) for word in words(clause))
    found: list[When] = []
    for match in itertools.islice(_PHRASE.finditer(clause), MAX_DATES):
        if _HABIT.search(clause, 0, match.start()):
            continue
        day = _safely(partial(_resolve, match, base, past))
        if day is not None:
            found.append(_when(match, *day))
    for match in itertools.islice(_CHINESE.finditer(clause), MAX_DATES):
        day = _safely(partial(_resolve_chinese, match, base))
        if day is not None:
            found.append(_when(match, *day))
    for match in itertools.islice(_FOREIGN.finditer(clause), MAX_DATES):
        day = _safely(partial(_resolve_foreign, match, base))
        if day is not None and not any(when.start < match.end() and match.start() < when.end for when in found):
            found.append(_when(match, *day))
    return _put_right(clause, sorted(found, key=lambda when: when.start))


_SLIP = re.compile(
    r"\W*(?:(?:oh|er|uh|um|hm+|ah)\W+)?(?:sorry|no|wait|i mean|i meant|make that|rather|scratch that|correction"
    r"|actually|oops)\b[\w ,.–—-]{0,14}",
    re.IGNORECASE,
)


def _put_right(clause: str, found: list[When]) -> tuple[When, ...]:
    """Without what was taken back in the same breath: "from 3 August, sorry, 10 August"."""
    return tuple(
        when
        for when, after in itertools.zip_longest(found, found[1:])
        if after is None or not _SLIP.fullmatch(clause, when.end, after.start)
    )


def annotate(statement: str, dates: tuple[When, ...]) -> str:
    """`statement` with the resolved date in brackets after each relative phrase that stands in it."""
    if "“" in statement:
        # What stands in quotation marks is the user's, letter for letter: the dates follow it.
        told = ", ".join(when.label for when in dates if when.relative)
        return f"{statement} [{told}]" if told else statement
    for when in dates:
        if when.relative and (at := statement.casefold().find(when.words.casefold())) >= 0:
            end = at + len(when.words)
            statement = f"{statement[:end]} [{when.label}]{statement[end:]}"
    return statement


def labels(dates: tuple[When, ...]) -> tuple[str, ...]:
    """The dates that may stand in brackets, see `check`."""
    return tuple(when.label for when in dates)


def _safely(resolve: Callable[[], tuple[datetime, Grain, bool] | None]) -> tuple[datetime, Grain, bool] | None:
    """None for a date outside the calendar: 31 February, or the week after the year 9999."""
    try:
        return resolve()
    except (ValueError, OverflowError):
        return None


def _when(match: re.Match[str], day: datetime, grain: Grain, relative: bool) -> When:
    day = day.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
    iso = day.date().isoformat()
    label = {"week": f"week of {iso}", "weekend": f"weekend of {iso}", "month": iso[:7], "season": iso[:7]}
    return When(
        words=match[0],
        start=match.start(),
        end=match.end(),
        time=(day - EPOCH) // timedelta(milliseconds=1),
        grain=grain,
        label=iso[:4] if grain == "year" else label.get(grain, iso),
        relative=relative,
    )


def _resolve(match: re.Match[str], base: datetime, past: bool) -> tuple[datetime, Grain, bool] | None:
    kind = {"which": "span", "unit": "span", "weekonday": "weekon", "dayweek": "weekon"}.get(
        match.lastgroup or "", match.lastgroup
    )
    if kind == "span":
        return _span(match["which"].casefold(), match["unit"].casefold(), base, past)
    if kind == "point":
        return _point(match["point"].casefold(), base)
    if kind == "weekon":
        return _week_on((match["weekonday"] or match["dayweek"]).casefold(), base), "day", True
    if kind in {"ago", "ahead"}:
        return _distance(match["ago"] or match["ahead"], base, back=" ago" in (match["ago"] or "").casefold())
    if kind == "weekday":
        return _weekday(_DAYS.index(match["weekday"].casefold()), base, back=past), "day", True
    if kind == "month":
        since, by = match[0].casefold().startswith("since"), match[0].casefold().startswith(("by", "until", "till"))
        back = since or (past and not by)
        return _month(_MONTHS.index(match["month"].casefold()) + 1, base, back=back), "month", True
    if kind == "year":
        return datetime(int(match["year"]), 1, 1, tzinfo=UTC), "year", False
    if kind == "monthyear":
        name, year = match["monthyear"].split()[0], match["monthyear"][-4:]
        return datetime(int(year), _MONTHS.index(name.casefold()) + 1, 1, tzinfo=UTC), "month", False
    if kind == "iso":
        return datetime.fromisoformat(match["iso"]), "day", False
    return _dated(match["dated"], base, past)


NEARER_THAN_TENSE = {True: 2.0, False: 6.0}
"""How many times nearer a day must lie on the other side of today than the tense says, past or not: "has been moved to
12 June" in May, "since 3 January" in January."""


def _dated(text: str, base: datetime, past: bool) -> tuple[datetime, Grain, bool] | None:
    """A day and month; without a year, the one that the tense means, or a much nearer one."""
    read = _read(text, base, past)
    if read is None or re.search(r"\d{4}", text):
        return None if read is None else (read, "day", False)
    other = _read(text, base, not past)
    if other is not None:
        away, other_away = (abs((day.replace(tzinfo=UTC) - base).days) for day in (read, other))
        if other_away * NEARER_THAN_TENSE[past] < away:
            read = other
    return read, "day", True


@cache
def _library() -> Callable[..., datetime | None]:
    """`dateparser.parse`, imported when the first date is met: it takes a third of a second."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import dateparser
    parse: Callable[..., datetime | None] = dateparser.parse
    return parse


def _read(text: str, base: datetime, past: bool) -> datetime | None:
    """What `dateparser` makes of a phrase that names a day."""
    text = re.sub(r"(?<=\d)(?:st|nd|rd|th)\b|^the |\bof ", "", text, flags=re.IGNORECASE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _library()(
            text,
            languages=["en"],
            settings={
                "RELATIVE_BASE": base.replace(tzinfo=None),
                "PREFER_DATES_FROM": "past" if past else "future",
                "DATE_ORDER": "DMY",
            },
        )


def _point(phrase: str, base: datetime) -> tuple[datetime, Grain, bool] | None:
    if "before yesterday" in phrase:
        days = -2
    elif "after tomorrow" in phrase:
        days = 2
    elif "yesterday" in phrase or phrase.startswith("last night"):
        days = -1
    else:
        days = 1 if "tomorrow" in phrase else 0
    return base + timedelta(days=days), "day", True


def _distance(phrase: str, base: datetime, *, back: bool) -> tuple[datetime, Grain, bool] | None:
    parts = re.match(r"(.+?) (day|week|month|year)", phrase, re.IGNORECASE)
    if parts is None:
        return None
    count = int(parts[1]) if parts[1].isdigit() else _NUMBERS[parts[1].casefold()]
    unit = parts[2].casefold()
    moment = _read(f"{count} {unit}s ago" if back else f"in {count} {unit}s", base, back)
    if moment is None:
        return None
    if exact := re.search(r"this (month|week)$", phrase, re.IGNORECASE):
        unit = exact[1].casefold()
    grain: Grain = {"day": "day", "week": "week", "month": "month", "year": "year"}[unit]  # type: ignore[assignment]
    return _first_day(moment, grain), grain, True


def _week_on(day: str, base: datetime) -> datetime:
    """ "A week on Friday", "Friday week": seven days after the coming one."""
    if day in _DAYS:
        return _weekday(_DAYS.index(day), base, back=False) + timedelta(weeks=1)
    return base + timedelta(weeks=1, days=day == "tomorrow")


def _first_day(moment: datetime, grain: Grain) -> datetime:
    if grain == "week":
        return moment - timedelta(days=moment.weekday())
    if grain == "month":
        return moment.replace(day=1)
    return moment.replace(month=1, day=1) if grain == "year" else moment


def _span(which: str, unit: str, base: datetime, past: bool) -> tuple[datetime, Grain, bool] | None:
    step = {"last": -1, "next": 1}.get(which, 0)
    if unit == "week":
        return _first_day(base, "week") + timedelta(weeks=step), "week", True
    if unit == "weekend":
        return _first_day(base, "week") + timedelta(weeks=step, days=5), "weekend", True
    if unit == "month":
        months = base.year * 12 + base.month - 1 + step
        return base.replace(year=months // 12, month=months % 12 + 1, day=1), "month", True
    if unit == "year":
        return base.replace(year=base.year + step, month=1, day=1), "year", True
    back = step < 0 or which == "this past" or (which == "this" and past)
    if unit in _DAYS:
        day = _weekday(_DAYS.index(unit), base, back=back)
        # "next Friday" said on a Monday is the Friday of the next week to most; "this Friday" the coming one.
        same_week = _first_day(day, "week").date() == _first_day(base, "week").date()
        return day + timedelta(weeks=1 if step > 0 and same_week else 0), "day", True
    month = _SEASONS.get(unit) or _MONTHS.index(unit) + 1
    grain: Grain = "season" if unit in _SEASONS else "month"
    if step == 0 and which == "this":
        return base.replace(month=month, day=1), grain, True
    return _month(month, base, back=back), grain, True


def _weekday(day: int, base: datetime, *, back: bool) -> datetime:
    """The nearest such weekday strictly before or after `base`."""
    distance = (base.weekday() - day - 1) % 7 + 1 if back else (day - base.weekday() - 1) % 7 + 1
    return base + timedelta(days=-distance if back else distance)


def _month(month: int, base: datetime, *, back: bool) -> datetime:
    """The first day of the nearest such month that is over, or that is yet to come (or has come)."""
    year = base.year
    if back and month >= base.month:
        year -= 1
    if not back and month < base.month:
        year += 1
    return base.replace(year=year, month=month, day=1)


def _resolve_chinese(match: re.Match[str], base: datetime) -> tuple[datetime, Grain, bool] | None:
    if match["day"]:
        return base + timedelta(days=_CHINESE_DAYS[match["day"]]), "day", True
    if match["cy"]:
        grain: Grain = "day" if match["cd"] else "month" if match["cm"] else "year"
        return datetime(int(match["cy"]), int(match["cm"] or 1), int(match["cd"] or 1), tzinfo=UTC), grain, False
    word = match["cspan"]
    which = {"上": "last", "去": "last", "下": "next", "明": "next"}.get(word[0], "this")
    return _span(which, "week" if "周" in word else "month" if "月" in word else "year", base, False)


def _resolve_foreign(match: re.Match[str], base: datetime) -> tuple[datetime, Grain, bool] | None:
    """German, French, Spanish, Italian, Portuguese, Dutch and Japanese phrases."""
    if _ENGLISH.search(match.string):
        return None
    if match["point"]:
        return base + timedelta(days=_FOREIGN_POINTS[match["point"].casefold()]), "day", True
    if match["name"]:
        name = match["name"].casefold()
        month = next(number for number, names in enumerate(_FOREIGN_MONTHS, 1) if name in names.split("|"))
        back = _FOREIGN_PAST.search(match[0]) is not None
        first = datetime(int(match["year"]), month, 1, tzinfo=UTC) if match["year"] else _month(month, base, back=back)
        if match["day"]:
            return first.replace(day=int(match["day"])), "day", match["year"] is None
        return first, "month", match["year"] is None
    for number, (which, unit) in enumerate(_FOREIGN_SPANS):
        if match[f"s{number}"]:
            return _span(which, unit, base, False)
    return None
