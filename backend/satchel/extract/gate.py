"""Which clauses of a user's turn are worth remembering, and of which kind.

A multinomial logistic regression over the clause's sentence vector and a few marks of its surface: who the
sentence is about, whether it asks, supposes, plays, refers to this answer only. The vector knows the topic and the
tone; the marks know what a small embedding blurs, above all "I need a function that ..." against "I need a chair
without arms". Trained by `scripts/train_gate.py` on `models/corpus/gate`; figures in `models/gate.md`.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from satchel.models.registry import shipped
from satchel.types import Kind, ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_CLAUSE = 700
"""Code points. A longer clause is no longer a statement somebody typed about themselves."""

MAX_IMPERSONAL = 16
"""Words. People leave themselves out of short statements ("Decaf, please"); long ones without a first person are
exposition."""


class Verdict(msgspec.Struct, frozen=True):
    """`kind` is None when the clause holds nothing to remember; `probability` in [0, 1] is that it holds something."""

    kind: Kind | None
    probability: float


# ------------------------------------------------------------------------------------- marks of the surface

_I = (
    r"(?:i|i['’](?:m|ve|d|ll)|im|ive|we|we['’](?:re|ve|d|ll)|my|our|ich|wir|mein\w{0,2}|unser\w{0,2}|je"
    r"|j['’](?=\w)|nous|mon|ma|mes|notre|nos|yo|mi|mis|nuestr[oa]s?|eu|meu|minha|nossa?|a gente)"
)
_TASK_NOUN = (
    r"(?:function|script|list|table|summary|outline|essay|poem|story|text|letter|title|names?"
    r"|synonym|word|idea|ideas|regex"
    r"|query|code|program|class|method|report|recipe|explanation|example|examples|help|answer|quote|slogan"
    r"|caption|question|problem"
    r"|template|prompt|plan|response|file|way|dataframe|array|dict|string|loop|page|app|website|logo"
    r"|paragraph|sentence|error)"
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|march|april|may|june|july|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"

_MARKS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.I))
    for name, pattern in (
        ("starts_first_person", rf"^(?:\W*){_I}\b|^\W*j['’]\w|^我"),
        ("first_person", rf"\b{_I}\b|\bj['’]\w|我"),
        ("first_person_object", r"\b(?:me|us|myself|mine|ours|mir|mich|uns|moi|m['’]\w+)\b"),
        ("first_person_be", r"\b(?:i['’]?m|i am|we['’]re|we are|ich bin|je suis|soy|estoy|sou|estou)\b|我是"),
        ("first_person_have", r"\b(?:i|we)(?: have|['’]ve got| own| keep| got)\b"),
        (
            "possessive_subject",
            r"^\W*(?:my|our|mein\w{0,2}|unser\w{0,2}|mon|ma|mes|mis?|meu|minha|nossa?)\b|^我(?:的|家|们家)",
        ),
        ("second_person", r"\b(?:you|your|yours|yourself|du|dich|dir|vous|tu|te|usted|você)\b|你|您"),
        ("ends_in_question", r"[?？]\W*$"),
        (
            "starts_as_question",
            r"^\W*(?:so |and |but |ok(?:ay)? |then )?(?:what|which|who|whom|whose|where|when (?:is|are|do"
            r"|does|did|was|will|should|can)|why|how"
            r"|is|are|was|were|am|do|does|did|can|could|would|should|will|shall|may i|might|has|have (?:you"
            r"|i|we)|any|was ist|welche|wer|wie|warum"
            r"|kannst|quel\w*|comment|pourquoi|qu['’]est|peux|qué|cuál|cómo|puedes|qual|como|você pode)\b|吗"
            r"|什么|怎么|哪|如何",
        ),
        (
            "starts_as_command",
            r"^\W*(?:please |now |then |kindly |bitte |ok(?:ay)?,? |and |so )?(?:write|give|make|list"
            r"|explain|summari[sz]e|translate|rewrite|create|generate"
            r"|show|tell|convert|describe|compare|draft|suggest|recommend|find|add|remove|change|continue"
            r"|act|pretend|imagine|suppose|assume|let|let['’]s"
            r"|fix|solve|calculate|compute|provide|name|rank|rate|help|turn|put|use|do|try|say|answer|reply"
            r"|respond|proofread|paraphrase|improve"
            r"|shorten|extract|classify|design|plan|draw|quote|repeat|elaborate|compose|brainstorm|prepare"
            r"|refactor|implement|build|check|correct|edit"
            r"|format|identify|choose|pick|discuss|analy[sz]e|outline|define|prove|tell|speak|play|ignore"
            r"|forget|schreib\w*|erklär\w*|nenne|écris|traduis"
            r"|escribe|escreva|traduce|explique)\b|^(?:请|帮我|写)",
        ),
        (
            "asks_for_this_answer",
            r"^\W*(?:i(?: really| just| also)? (?:need|want|would like|require|seek)|i['’](?:d|ll) (?:like"
            r"|love|be grateful|appreciate)|i wish|i only want|i just want)\b",
        ),
        (
            "asks_for_an_output",
            rf"\b(?:need|want|like|looking for|have|write|writing|create|find)\b.{{0,30}}\b{_TASK_NOUN}\b",
        ),
        (
            "wants_you_to",
            r"\b(?:want|need|like) you to\b|\byou are (?:a|an|the|going|now|my)\b|\bact(?:ing)? as\b"
            r"|\byour (?:task|job|role)\b",
        ),
        (
            "reports_a_fault",
            r"\b(?:error|exception|bug|crash\w*|fails?|failed|throws?|returns?|doesn['’]?t (?:work|match"
            r"|compile|start|start|show|run)|not work\w*|won['’]?t"
            r"|undefined|null|timeout|permission denied|stack ?trace|broken|freez\w+|hangs?|output)\b",
        ),
        (
            "computing",
            r"\b(?:function|code|script|python|java|javascript|sql|api|server|class|array|list of|dict\w*"
            r"|string|loop|regex|query|database|file|css"
            r"|html|react|docker|git|compile\w*|variable|endpoint|json|xml|excel|column|row|dataframe"
            r"|install\w*|import|module|linux|ubuntu|windows)\b",
        ),
        (
            "states_task",
            r"^\W*(?:i['’]?m|i am|we['’]re|we are) (?:trying|getting|looking|asking|wondering|using|running"
            r"|working on a (?:presentation|script|report)|writing a|confused|curious|interested"
            r"|having trouble|not sure|sorry|kidding|stuck|planning a)\b",
        ),
        (
            "speech_act",
            r"^\W*i (?:think|guess|see|agree|understand|mean|meant|hope|know|don['’]?t (?:know|understand"
            r"|think|get)|said|wonder|wondered|was (?:wondering|asking|reading|told)|heard|read|noticed"
            r"|forgot|believe|love it|like (?:it|this|that|your)|tried|get|got|can['’]?t (?:find|log))\b",
        ),
        ("starts_impersonal", r"^\W*(?:the|a|an|this|that|these|those|it|there|each|every|all|some|in \d{4})\b"),
        (
            "starts_third_person",
            r"^\W*(?:he|she|they|his|her|their|him|mr|mrs|ms|er|sie|il|elle|ils|él|ella|ele|ela)\b|^[他她]",
        ),
        (
            "about_someone_else",
            r"\b(?:my|our) (?:\w+ )?(?:boss|manager|colleague|co-?worker|neighbou?r|friend|teacher|professor"
            r"|client|customer|patient|student|students|landlord"
            r"|supervisor|supplier|roommate|flatmate|classmate|coach|company|team ?mate|ceo|mayor|opponent"
            r"|guests|character|protagonist|story|code|function"
            r"|model|program|computer|app|question|query|homework|task|answer|essay|teacher)s?\b",
        ),
        (
            "about_close_one",
            r"\b(?:my|our|meine?|mon|ma|mi|meu|minha) (?:\w+ ){0,2}?(?:wife|husband|partner|spouse"
            r"|girlfriend|boyfriend|fianc\w+|son|daughter|child|children|kids?"
            r"|baby|twins?|mother|mum|mom|father|dad|parents|sister|brother|grand\w+|aunt|uncle|cousin"
            r"|family|household|dog|cat|pet|horse|parrot|rabbit"
            r"|frau|mann|tochter|sohn|mari|femme|fille|fils|hija|hijo|hermana|esposa|marido|filha|filho)\b"
            r"|我(?:老公|老婆|妹妹|妈妈|爸爸|女儿|儿子|家)",
        ),
        (
            "supposes",
            r"^\W*(?:and |so |or |but |what )?(?:if|suppose|assume|imagine|let['’]s say|pretend|say that"
            r"|wenn|stell dir vor|si|supón|假如|如果)\b|\bif i (?:were|had|was|won|could)\b",
        ),
        (
            "plays",
            r"\b(?:character|protagonist|story|novel|scene|plot|role-?play|pirate|wizard|knight|dragon"
            r"|vampire|king|queen|sword|elf|narrator|film|movie)\b|\*\w",
        ),
        (
            "quotes",
            r"[\"“”«»「」].{3,}[\"“”«»「」]|\b(?:he|she|they) (?:said|asked|whispered|wrote|told)\b|, (?:said"
            r"|wrote|she|he) ",
        ),
        (
            "prefers",
            r"\b(?:prefer\w*|rather|sooner|favou?rite|love|adore|hate|loathe|detest|dislike|can['’]?t stand"
            r"|can['’]?t bear|enjoy|avoid|never|only|always|no [a-z]+ for me"
            r"|for me|fan of|bores?|aversion|drawn to|not a fan|keen|fond|partial|stick to|am into|allergic"
            r"|drains?|instead of|over|mag|hasse|lieber|déteste|préfère|aime|horreur"
            r"|prefiero|odio|encanta|soporto|prefiro|adoro|gosto)\b|喜欢|讨厌|不吃|最爱",
        ),
        (
            "standing",
            r"\b(?:always|never|from now on|every time|whenever|in future|in the future|going forward"
            r"|in general|by default|at all times|as a rule|each time|any time|remember|here on|in all|ever"
            r"|(?:every|each) (?:answer|reply|response|message)|all (?:future|your|the code|code|amounts"
            r"|answers|replies)"
            r"|don['’]t ever|stop \w+ing|toujours|immer|siempre|sempre)\b|以后|今后|总是",
        ),
        (
            "about_answers",
            r"\b(?:answers?|repl(?:y|ies)|respon\w+|explain|explanations?|sentences|paragraphs?|bullet\w*"
            r"|emojis?|words|tone|spelling|format|cite|sources?|units|metric|examples"
            r"|address me|call me|talk to me|with me|apologi\w+|antworte\w*|réponds|responde)\b|回答",
        ),
        (
            "this_time_only",
            r"\b(?:this time|for now|this one|just this|now|again|for this|the (?:following|above|below"
            r"|second|first|last|previous)|below|above|it)\b",
        ),
        (
            "dated",
            r"\b(?:yesterday|tomorrow|tonight|last (?:night|week|month|year|summer|winter|spring|autumn"
            rf"|fall|may|{_DAY})|next (?:week|month|year|{_DAY})|on (?:the )?{_DAY}|this (?:morning|{_DAY})"
            rf"|{_DAY}|\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}|{_MONTH} \d{{1,2}}|the \d{{1,2}}(?:st|nd"
            rf"|rd|th)|in {_MONTH})\b",
        ),
        ("number", r"\d"),
        (
            "lasting",
            r"\b(?:since|for (?:\w+ )?(?:years|months|decades)|years?|every (?:day|week|year|morning"
            rf"|evening|night|summer|winter|{_DAY})|usually|often|mostly|these days|currently|still|used to"
            r"|grew up|born|raised|retired|by trade|here)\b",
        ),
        (
            "living_situation",
            r"\b(?:live|lives|living|moved|work as|works? (?:at|in|for|nights)|job|married|divorced|single"
            r"|widow\w*|allerg\w+|diagnosed|vegan|vegetarian|diabet\w+|pregnant|own|wear|drive|play|speak"
            r"|study|studying|learning|training)\b",
        ),
        ("as_someone", r"^\W*(?:as an?|being|living|growing up|having|since|because|coming from|now that|after) \w+"),
        ("code_like", r"[{}<>=;\\]|\(\)|\w+\.\w+\(|\w_\w|::|->|//"),
        ("chinese", r"[\u4e00-\u9fff]"),
        (
            "other_language",
            r"[àâäáãåçéèêëíìîïñóòôöõúùûüßœæ¿¡]|\b(?:ich|und|nicht|der|das|je|les|une|est|pas|el|los|una|con"
            r"|para|não|uma|meu|soy|em)\b",
        ),
    )
)

FEATURES: tuple[str, ...] = (*(name for name, _ in _MARKS), "words", "very_short", "very_long")
"""The names of the marks, in the order of `features`; `models/gate.json` repeats them, so that a gate trained with
other marks is refused rather than misread."""


def features(clause: str) -> list[float]:
    """The marks of one clause, each in [0, 1], in the order of `FEATURES`."""
    words = _count_words(clause)
    return [
        *(1.0 if pattern.search(clause) else 0.0 for _, pattern in _MARKS),
        min(math.log1p(words) / 4, 1.0),
        1.0 if words <= 3 else 0.0,
        1.0 if words >= 30 else 0.0,
    ]


def _count_words(clause: str) -> int:
    """Words, where a run of Chinese or Japanese counts one for every two characters."""
    cjk = sum(1 for character in clause if "\u3040" <= character <= "\u9fff")
    return len(clause.split()) + cjk // 2


# ------------------------------------------------------------------------------------------- the prefilter

_PERSONAL = re.compile(rf"\b{_I}\b|\bj['’]\w|\b(?:me|us|myself)\b|我|咱", re.I)
_CHITCHAT = re.compile(
    r"\W*(?:thanks?(?: you)?|thx|ty|ok(?:ay)?|yes|no|yep|nope|sure|great|perfect|cool|nice|good|hello|hi|hey"
    r"|bye|lol|continue|go on|next|more|again"
    r"|why|what|how|please|sorry|wow|hmm+|right|exactly|correct|done|danke|merci|gracias|obrigado|obrigada"
    r"|谢谢|你好|好的|继续)"
    r"(?:[ ,]+(?:so much|very much|a lot|you|please|that works|again|there|on|it))?\W*$",
    re.I,
)


def worth_embedding(clause: str) -> bool:
    """Whether a clause could hold something, by rules that cost microseconds.

    It only turns away what is plainly nothing: no words, thanks and greetings, code, a bare question or a bare
    command that no first person appears in, and what is too long to have been typed as a statement or, without a
    first person, to be one.
    """
    if len(clause) > MAX_CLAUSE or _count_words(clause) < 2 or _CHITCHAT.match(clause):
        return False
    marks = dict(zip(FEATURES, features(clause), strict=True))
    if marks["code_like"] and not marks["first_person"]:
        return False
    if _PERSONAL.search(clause):
        return True
    if marks["ends_in_question"]:
        return False
    how_to_answer = bool(marks["standing"] or marks["about_answers"])
    if _count_words(clause) > MAX_IMPERSONAL:
        return how_to_answer
    return how_to_answer or not marks["starts_as_command"]


# ------------------------------------------------------------------------------------------------ the gate


class _Trained(msgspec.Struct, frozen=True):
    """`models/gate.json`: one row of `weights` a class, over the scaled vector and then the marks."""

    version: int
    embedder: str
    dimensions: int
    classes: list[str]
    features: list[str]
    vector_scale: float
    weights: list[list[float]]
    bias: list[float]
    threshold: float
    corpus: str


class Gate:
    """The trained judge. Immutable, safe to share between threads."""

    def __init__(self, trained: _Trained) -> None:
        if tuple(trained.features) != FEATURES:
            raise ModelError(
                "models/gate.json was trained with other marks than this Satchel knows; run scripts/train_gate.py."
            )
        self.embedder = trained.embedder
        self.dimensions = trained.dimensions
        self.threshold = trained.threshold
        self._trained = trained

    @classmethod
    def load(cls, path: Path | None = None) -> Gate:
        """The gate shipped with Satchel, or the one in `path`. ModelError when it is missing or damaged."""
        try:
            data = path.read_bytes() if path else shipped("satchel.extract", "gate.json")
            return cls(msgspec.json.decode(data, type=_Trained))
        except (OSError, msgspec.DecodeError) as error:
            raise ModelError(f"The gate's weights cannot be read ({error}); run scripts/train_gate.py.") from error

    def judge(self, clauses: Sequence[str], vectors: NDArray[np.float32]) -> list[Verdict]:
        """One verdict a clause. `vectors` is (n, 384): the unit sentence vectors of the clauses, same order.

        ValueError when the numbers do not match. The kind is the likeliest of the memorable ones.
        """
        if len(clauses) != len(vectors):
            raise ValueError(f"{len(clauses)} clauses but {len(vectors)} vectors")
        if not clauses:
            return []
        probabilities = self.probabilities(clauses, vectors)
        kinds = self._trained.classes[1:]
        verdicts = []
        for row in probabilities:
            worth = float(1.0 - row[0])
            kind = cast("Kind", kinds[int(row[1:].argmax())]) if worth >= self.threshold else None
            verdicts.append(Verdict(kind, worth))
        return verdicts

    def probabilities(self, clauses: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, classes) rows that sum to 1; the first class is "none"."""
        import numpy as np

        weights, bias = self._matrices
        inputs = np.hstack(
            [
                np.asarray(vectors, dtype=np.float64) * self._trained.vector_scale,
                np.array([features(clause) for clause in clauses], dtype=np.float64),
            ]
        )
        logits = inputs @ weights.T + bias
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return cast("NDArray[np.float64]", odds / odds.sum(axis=1, keepdims=True))

    @functools.cached_property
    def _matrices(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        import numpy as np

        return np.array(self._trained.weights), np.array(self._trained.bias)
