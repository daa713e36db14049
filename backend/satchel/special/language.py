"""Whether a text is English: the only language in which the judge's vectors tell what it is about."""

from __future__ import annotations

import re

_LETTER = re.compile(r"[^\W\d_]")
_LATIN = re.compile("[a-z\u00c0-\u024f]", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")
_OTHER_SHARE = 0.2
"""Letters of other scripts, of all, from which a text is not English: a Greek name in it is no matter."""

_FUNCTION_WORDS = {
    "english": """
        the a an i my we our you your he she his her they their it its is am are was were be been to of and or in on at
        for with from by as not no don t s m ve re have has had do does did can that this what when who how if but so
        user me us all
    """,
    "foreign": """
        ich du er wir ihr und oder nicht kein keine der das dem ein eine einen ist sind habe mit für auf mein meine
        mich mir sich zu je j tu elle nous vous et ou ne pas le la les du un une est suis ai mon ma mes avec pour dans
        sur qui que el los las una es soy estoy mi mis tengo con para por en yo se eu não sou estou uma um meu minha
        com tenho na io sono non che di mio mia ho gli ik het een niet mijn jag och är inte mitt ett ja nie jest się
        jestem ve bir için
    """,
}
_ENGLISH, _FOREIGN = (frozenset(words.split()) for words in _FUNCTION_WORDS.values())


def is_english(text: str) -> bool:
    """Whether `text` looks English, or has too few words to tell; wrong now and then, mostly by taking a short English
    text for a foreign one."""
    letters = len(_LETTER.findall(text))
    if letters - len(_LATIN.findall(text)) > _OTHER_SHARE * letters:
        return False
    words = _WORD.findall(text.lower())
    foreign = sum(word in _FOREIGN for word in words)
    return not foreign or foreign < sum(word in _ENGLISH for word in words)
