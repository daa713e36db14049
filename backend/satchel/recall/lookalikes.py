"""What a text reads as: letters of other alphabets, wide and fancy forms for the plain ones they pass for.

Only to find a disguise: what is shown keeps its own letters. The table holds those that pass for the letters of role
names, tags and our marker (after Unicode's confusables, https://www.unicode.org/reports/tr39/), one for one, so that
what is found has the same place in both.
"""

from __future__ import annotations

import unicodedata

_PASSES_FOR = {
    "a": "аαɑᴀ",
    "b": "вβʙ",
    "c": "сϲᴄ",
    "d": "ԁᴅ",
    "e": "еεᴇ",
    "f": "ꜰ",
    "g": "ɡɢ",
    "h": "һнηʜ",
    "i": "іιıɪ",
    "j": "јᴊ",
    "k": "кκᴋ",
    "l": "ӏʟ",
    "m": "мμᴍ",
    "n": "ոɴ",
    "o": "оοօᴏ",
    "p": "рρᴘ",
    "r": "гʀ",
    "s": "ѕꜱ",
    "t": "тτᴛ",
    "u": "υսᴜ",
    "v": "νѵᴠ",
    "w": "ԝᴡ",
    "x": "хχ",
    "y": "уγʏ",
    "z": "ᴢ",
    ":": "∶ː꞉˸։׃",
    "|": "∣ǀ│❘",
    "/": "∕⁄⧸╱⟋",
    "[": "⟦〚⟬【⁅⦗",
    "]": "⟧〛⟭】⁆⦘",
}


class _Plain(dict[int, str]):
    """For `str.translate`: each character as the plain one that it passes for, without accents, worked out when first
    met."""

    def __missing__(self, code: int) -> str:
        c = chr(code)
        parts = unicodedata.normalize("NFKD", c).lower()
        plain, accents = parts[0], parts[1:]
        alone = not unicodedata.combining(plain) and all(map(unicodedata.combining, accents))
        self[code] = result = dict.get(self, ord(plain), plain) if alone else c
        return result


_TABLE = _Plain(
    {ord(c): plain for plain, others in _PASSES_FOR.items() for c in others} | {c: chr(c) for c in range(65)}
)


def skeleton(text: str) -> str:
    """`text` in lower case and plain letters, as long as `text`."""
    return text.lower() if text.isascii() else text.translate(_TABLE)
