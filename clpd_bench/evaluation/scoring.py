r"""What an output's answer is, and when two answers are the same. Standard library alone: it is exported beside tasks.

**Numbers** are compared as exact values. The grammar, of a text without its markup (`\boxed{}`, `\text{}`, `\frac{}{}`,
`\$`, `\(`, `{,}`, `**`, backticks; full-width and superscript digits and vulgar fractions in plain writing):

    number   = [sign] [currency] [sign] value [percent | currency]     at most one sign
    value    = mixed | fraction | [decimal times] "10" "^" exponent | decimal "e" exponent | decimal
    mixed    = integer blanks digits "/" digits                        the fraction is less than 1
    fraction = decimal "/" decimal                                     blanks around the bar may stand
    decimal  = integer ["." [digits]] | "." digits
    integer  = digits | digits{1,3} {"," digits{2,4}} "," digits{3,4}  1,080   10,80,000   1,0000
    exponent = [sign] digits{1,3}
    sign     = "+" | "-" (ASCII, U+2212, hyphens, en dash)             joined to what it signs
    times    = "x" | "*" | U+00D7 | U+00B7 | `\times` | `\cdot`
    currency = $ € £ ¥ ₹ ₩ US$ USD EUR GBP INR Rs Rs.

A comma that groups no thousands parts two values (`3,4`), and so does a blank. A percent sign and a currency do not
change the value. A minus behind a digit, a letter, `)`, `]` or `%` is an operator. No numbers are: what is joined by
`:`, by two dots or bars (`10:30`, `1.2.3`, `3/4/24`), a date in digits, a base with an exponent (`x^2`), what
counts thousands or the like (`5 million`, `5k`), a digit that is part of a word, one that counts a line (`7. Then`,
below the first). Letters joined behind a number (`5kg`) are its unit. Number words are not read.

**Labels** of choices are found by rules that are the same for each label, so that no rule prefers one. See `label`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal, NamedTuple

LONGEST = 400
"""Characters of a number; a longer one has no value."""

_PLAIN = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        (r"\\[dtc]?frac\s*\{\s*([-+]?[0-9.,]+)\s*\}\s*\{\s*([0-9.,]+)\s*\}", r"{}\1/\2 "),
        (r"\\[dtc]?frac\s*([0-9])\s*([0-9])", r"{}\1/\2 "),
        (r"(?<=[0-9])\{\}", " "),  # 3\frac{1}{2} is mixed, and the sign in front of a fraction stays joined to it
        (r"\{\}", ""),
        (r"\{,\}", ","),
        (r"(?<=[0-9])(,?)\\[,!](?=[0-9])", r"\1"),
        (r"\\(?:times|cdot)(?![A-Za-z])", "×"),
        (r"\\(?:boxed|fbox|text[a-z]*|math[a-z]*|displaystyle|left|right|q?quad)(?![A-Za-z])", ""),
        (r"\\([$%€£#&_])", r"\1"),
        (r"\^\s*\{\s*([-+]?[0-9]+)\s*\}", r"^\1"),
        (r"(?<=[0-9])\*\*(?=[0-9])", "^"),
        (r"\\[()\[\],!;: ]|[{}`]|\*\*|__", " "),
    )
)
_DASHES = str.maketrans(dict.fromkeys("\u2212\u2010\u2011\u2012\u2013", "-") | {"\u2044": "/"})

# Possessive and bounded throughout: the time that it takes is linear in the text.
_INTEGER = r"(?>[0-9]{1,3}(?:,[0-9]{2,4}){0,9},[0-9]{3,4}(?![0-9]|,[0-9])|[0-9]++)"
_DECIMAL = rf"(?:{_INTEGER}(?:\.[0-9]++)?+|(?<![0-9A-Za-z.])\.[0-9]++)"
_MONEY = r"(?:(?:Rs\.?|USD|EUR|GBP|INR|US\$|[$€£¥₹₩])[ \t]*+)"
_SCALE = r"[ \t]*+(?:hundred|thousand|million|billion|trillion|dozen)s?\b"
_NUMBER = rf"""(?P<number>
    (?P<sign>(?<![0-9A-Za-z)\]%-])[-+]{_MONEY}{{0,3}}|{_MONEY}{{1,3}}[-+]?|)
    (?: (?P<whole>{_INTEGER})[ \t]++(?P<over>[0-9]++)/(?P<under>[0-9]++)(?![./:]?[0-9])
      | (?:(?P<factor>{_DECIMAL})[ \t]*+[xX×*·⋅][ \t]*+)?10\^\(?(?P<power>[-+]?[0-9]++)\)?
      | (?P<top>{_DECIMAL})(?:[eE](?P<exponent>[-+]?[0-9]++)|[ \t]*+/[ \t]*+(?P<bottom>{_DECIMAL}))?+ )
    (?![0-9]|[.:/][0-9]|[A-Za-z]++[0-9]|[\\^π√]|[kKMB]\b|{_SCALE})
    (?:[ \t]*+(?:%|[$€£¥₹₩](?![ \t]*+[-+]?[.0-9])))?
)"""
_WHOLE = re.compile(rf"[\s(\[*_$]*? {_NUMBER} [\s)\]*_$.]*+", re.X)
_TOKEN = re.compile(
    rf"""[0-9]++(?:(?::[0-9]++)++|(?:\.[0-9]++){{2,}}+|(?:/[0-9]++){{2,}}+)
    | [0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}}(?![0-9]) | [0-9]{{1,2}}-[0-9]{{1,2}}-[0-9]{{4}}(?![0-9])
    | (?<=\n)[ \t]*+[0-9]{{1,2}}[.)][ \t]++(?=[A-Za-z])
    | {_NUMBER} | \^[-+(\s]*+[0-9]*+ | [0-9A-Za-z]++""",
    re.X,
)
_OPENING = re.compile(r"[\s*_\"'(\[:=]*+")
_JOINED = re.compile(
    r"""[:;][0-9] | ,[ \t]*+[-+$€£]{0,2}[0-9]
      | [ \t]*+(?:[-+*/×^xX][ \t]*+|(?:and|or|to|(?:out[ \t]++)?of)[ \t]++)[-+$€£(]{0,2}[.0-9]""",
    re.X,
)


def number(text: str) -> Fraction | None:
    """The value of a text that is one number and nothing else but markup; None of any other text."""
    found = _WHOLE.fullmatch(_plain(text))
    return _value(found) if found else None


def numbers(text: str) -> list[Fraction]:
    """The values of the numbers in running text, in its order."""
    return [value for _, value in _numbers(_plain(text))]


def last_number(text: str) -> str | None:
    """The last number in running text, in plain writing; None of a text without."""
    found = [written for written, _ in _numbers(_plain(text))]
    return found[-1] if found else None


def leading_number(text: str) -> str | None:
    """The number that a text begins with, in plain writing; None where it is part of an expression, a list, a range."""
    plain = _plain(text)
    begin = _OPENING.match(plain)
    found = _TOKEN.match(plain, begin.end() if begin else 0)
    if not found or not found["number"] or _JOINED.match(plain, found.end()) or _value(found) is None:
        return None
    return found["number"]


def _plain(text: str) -> str:
    text = re.sub("[⁰¹²³⁴-⁹⁻⁺]+", lambda found: "^" + found[0], text)
    text = re.sub(r"(?<=\d)(?=[¼-¾⅐-⅞])", " ", text)
    text = unicodedata.normalize("NFKC", text).translate(_DASHES)
    text = re.sub(r"\d", lambda found: str(int(found[0])), text)
    for pattern, plain in _PLAIN:
        text = pattern.sub(plain, text)
    return text


def _numbers(plain: str) -> Iterator[tuple[str, Fraction]]:
    for found in _TOKEN.finditer(plain):
        if found["number"] and (value := _value(found)) is not None:
            yield found["number"].strip(), value
        elif found["whole"]:  # 12 24/3 is no mixed number: two values
            yield from _numbers(plain[found.start() : found.end("whole")])
            yield from _numbers(plain[found.start("over") : found.end()])


def _value(found: re.Match[str]) -> Fraction | None:
    if len(found["number"]) > LONGEST:
        return None
    part = {name: text.replace(",", "") for name, text in found.groupdict().items() if text}
    exponent = part.get("power") or part.get("exponent") or "0"
    if len(exponent.lstrip("+-")) > 3:
        return None
    below = Fraction(part.get("under") or part.get("bottom") or 1)
    above = Fraction(part.get("over") or part.get("top") or part.get("factor") or 1)
    if not below or ("whole" in part and above >= below):
        return None
    value = (Fraction(part.get("whole", 0)) + above / below) * Fraction(10) ** int(exponent)
    return -value if "-" in found["sign"] else value


# What stands in front of a label, and behind it. Both are looked at WITHIN characters wide.
_WITHIN = 60
_CUE = re.compile(
    r"""(?: \b(?:answer|choice|option|one|letter|it|that)\b[*_"')]{0,3}
            (?:\s{0,3}[:=]|\s{1,3}(?:is|was|(?:would|should|must|will|has\sto)\s{1,3}be)\b:?|['’]s\b)
          | \b(?:choose|pick|select|(?:would|['’]d)\ssay|go(?:ing)?\swith|so|thus|therefore|hence)\b[:,]?
          | \\boxed | [→⇒] )
        (?:[\s*_"'`$(\[{]|\\(?:text|math)[a-z]*|\\\(|\b(?:the|option|choice|letter|answer|correct|best|right|most|likely
            |probably|definitely|clearly|indeed|it|is|not)\b:?)*\Z""",
    re.X | re.I,
)
_NAMED = re.compile(r"\b(?:option|choice|letter|answer)s?\s{0,3}[(\[*\"']{0,3}\Z", re.I)
_CLAUSE = re.compile(r"[.,;:!?\n]|\bbut\b", re.I)
_NEGATED = re.compile(
    r"""\b(?:not|never|neither|nor|cannot|rather\sthan|instead\sof|eliminate[sd]?|exclude[sd]?|rule[sd]?\sout
        |(?:wrong|incorrect)\s(?:answer|choice|option)s?)\b|n['’]t\b""",
    re.X | re.I,
)
_MARKUP = " \t\r\n>*_#\"'`$([{\\-"
_LONE = re.compile(r"[^\w\n]*(?:\n|\Z)")
_BRACKET, _UNBRACKET = re.compile(r"[(\[{]\s?\*{0,2}\Z"), re.compile(r"\*{0,2}\s?[)\]}]")
_BOLD, _UNBOLD = re.compile(r"(?:\*\*|__|`|\")\Z"), re.compile(r"[.):]?(?:\*\*|__|`|\")")
_ITEM = re.compile(r"[*_]{0,2}[.)](?:[\s*_]|\Z)")
_CLOSING = r"[*_\"'`)\]}$]{0,4}"
_ENDS = re.compile(rf"{_CLOSING}(?:[^\w\n]*(?:\n|\Z)|[.,;:!?](?!\w)|<[/|])|\)(?!\w)")
_GOES_ON = re.compile(
    rf"{_ENDS.pattern}|{_CLOSING}\s{{0,3}}[(—–=-]"
    rf"|{_CLOSING}\s{{1,3}}(?:because|since|as|for|due|given|is|was|are|would|must|should|which|and|or|but|over)\b"
)
_SPOKEN_OF = re.compile(
    rf"{_CLOSING}(?:\s{{1,3}}(?:is|are|was|were|would|could|can|may|might|seems|means|refers|says|and|or)\b|,)"
)
_GOOD = r"(?:correct|right|true|best|answer|it|possible|likely|plausible|option|choice)\b"
_SOME = r"(?:\s(?:the|most|more|very|clearly|likely|definitely|probably|also|only|therefore|thus|one)){0,3}\s"
_RIGHT = rf"\s(?:is|was|seems|looks|(?:must|would|should|has\sto)\s(?:be|seem)){_SOME}{_GOOD}"
_WRONG = (
    r"\s(?:(?:is|are|was|were|seems?|looks?|(?:can|could|would|will|must)\sbe)(?:\s\w+)?\s(?:wrong|incorrect|false)\b"
    r"|(?:is|are)(?:\snot|n['’]t)[.,;]"
    rf"|(?:(?:is|are|was|were|do|does|can|could|would|will)(?:\snot|n['’]t)|cannot)(?:\sbe|\sseem)?{_SOME}{_GOOD})"
)
# A marked label's choice may stand between it and the verdict; it may be a verdict itself (`(A) it is wrong answers`).
_CHOICE = r"(?:\s(?!(?:is|are|was|were|not)\b)[A-Za-z][A-Za-z'’-]*){0,5}?"
_AFTER = r"(?=[.,;!]|\s(?:because|since|as|while|and|but|so)\b)"


class _Place(NamedTuple):
    """Where a label stands that is not negated."""

    label: str
    decided: bool
    opens: bool
    spoken_of: bool
    lone: bool
    named: bool
    marked: bool


def label(text: str, labels: Sequence[str]) -> str | None:
    r"""Which of the choices' `labels` an output decides for, as it is written there; None where it is for none.

    Of those that are not negated (`not (A)`, `(A) is wrong`), the first rule that finds any decides:

    1. The marked label that the text begins with (`(B) bank`, `B.`, `**B**`), unless it is spoken of (`(A) is`) or the
       first paragraph marks three or more, that is, repeats the choices.
    2. The last behind a cue (`answer is`, `it must be`, `so`, `I choose`, `\boxed`) or before a verdict (`is correct`).
    3. Any label that the text begins with, if it is not spoken of (`A or B`).
    4. The last that stands on a line alone.
    5. Those that are named (`option B`); without one, the marked ones: in brackets, bold, or opening a line (`B.`);
       without one, all. Where they are several, the output decides for none.

    A label that is neither marked nor named counts where no other word follows than one that gives a reason or goes on
    about it (`because`, `is`): `A person` and `I think` hold none; in lower case, where no word follows at all.
    """
    if not labels:
        return None
    text = unicodedata.normalize("NFKC", text)
    anywhere, wrong = _patterns(tuple(labels))
    written = {one.upper(): one for one in labels}
    begin = len(text) - len(text.lstrip(_MARKUP))
    paragraph = re.search(r"\S\s*?\n\s*?\n", text)
    places: list[_Place] = []
    repeated = set()
    for found in anywhere.finditer(text):
        before, behind = (
            text[max(0, found.start() - _WITHIN) : found.start()],
            text[found.end() : found.end() + _WITHIN],
        )
        opens_line = (found.start() <= _WITHIN or "\n" in before) and not before.rpartition("\n")[2].strip(_MARKUP)
        marked = bool(
            (_BRACKET.search(before) and _UNBRACKET.match(behind))
            or (_BOLD.search(before) and _UNBOLD.match(behind))
            or (opens_line and _ITEM.match(behind))
        )
        if marked and (paragraph is None or found.start() < paragraph.end()):
            repeated.add(found[0].upper())
        named, upper = bool(_NAMED.search(before)), found[0] == found[0].upper()
        if not marked and not (named and upper) and not (_GOES_ON if upper else _ENDS).match(behind):
            continue
        if _NEGATED.search(_CLAUSE.split(before)[-1]) or wrong[marked].match(behind):
            continue
        places.append(
            _Place(
                label=written[found[0].upper()],
                decided=bool(_CUE.search(before) or _VERDICT[marked].match(behind)),
                opens=found.start() == begin,
                spoken_of=bool(_SPOKEN_OF.match(behind)),
                lone=opens_line and bool(_LONE.match(behind)),
                named=named,
                marked=marked,
            )
        )
    return _decision(places, repeats=len(repeated) > 2)


def _decision(places: Sequence[_Place], repeats: bool) -> str | None:
    first = [place for place in places[:1] if place.opens and not place.spoken_of]
    if first and first[0].marked and not repeats:
        return first[0].label
    for last in ([place for place in places if place.decided], first, [place for place in places if place.lone]):
        if last:
            return last[-1].label
    for some in ([place for place in places if place.named], [place for place in places if place.marked], places):
        if some:
            return some[0].label if len({place.label for place in some}) == 1 else None
    return None


_VERDICT = [re.compile(_CLOSING + choice + _RIGHT, re.I) for choice in ("", _CHOICE)]


@lru_cache
def _patterns(labels: tuple[str, ...]) -> tuple[re.Pattern[str], list[re.Pattern[str]]]:
    """Where one of the labels stands apart from other letters and digits; and that it is wrong, bare or marked."""
    one = "(?:" + "|".join(re.escape(one) for one in sorted(labels, key=len, reverse=True)) + ")"
    anywhere = (
        rf"(?<![A-Za-z0-9+])(?<![A-Za-z0-9][.'’-])(?<![0-9$£€][,:/-])(?:(?<![$£€])|(?={one}\$)){one}"
        r"(?![A-Za-z0-9%+#]|['’.,:/-][A-Za-z0-9])"
    )
    more = rf"{_CLOSING}(?:(?:\s?,|\s?/|\s(?:and|or|nor|&))\s?[(\[*]{{0,3}}{one}{_CLOSING}){{0,9}}"
    wrong = rf"{more}(?:{_WRONG}"
    return re.compile(anywhere, re.I), [
        re.compile(f"{wrong})", re.I),
        re.compile(f"{wrong}|{_CHOICE}{_WRONG}{_AFTER})", re.I),
    ]


_FAMILIES = ("ABCDEFGHIJ", "abcdefghij", "123456789")


def labels_like(answer: str) -> list[str]:
    """The family of labels (A-J, a-j or 1-9) that a gold answer is of, as `(B) bank`, `b` or `3.`; [] where of none."""
    found = re.match(r"[\s(\[*]*([A-Ja-j1-9])(?:[*\s]*[)\]:]|\.(?!\w)|[*\s]*\Z)", answer)
    return next(([*family] for family in _FAMILIES if found and found[1] in family), [])


def behind(text: str, marker: str | None, lines: int = 1) -> str | None:
    r"""What stands behind the last occurrence of the answer marker: the next `lines` lines that hold text, stripped.

    A marker that is not there as it is, is looked for without the white space around it (`"\n#### "` as `####`). One of
    white space alone means the last lines, None the first ones of the text. None where the marker is not there.
    """
    if marker is not None and not marker.strip():
        return "\n".join(_lines(text)[-lines:])
    if marker is not None:
        said = marker if marker in text else marker.strip()
        if said not in text:
            return None
        text = text[text.rindex(said) + len(said) :]
    return "\n".join(_lines(text)[:lines])


def last_line(text: str, marker: str | None) -> str | None:
    """The last line that holds text, without the answer marker in front of it; None of an empty text."""
    held = _lines(text)
    return held[-1].removeprefix((marker or "").strip()).strip() if held else None


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def same(found: str, answer: str, kind: Literal["number", "letter", "line"] | None, ignore: Sequence[str] = ()) -> bool:
    """Whether an extracted text is the answer: by value, by label, or line by line as text.

    Numbers and labels are compared as such only where the answer is one; else as text. The regular expressions in
    `ignore` are taken out of both first.
    """
    for expression in ignore:
        found, answer = re.sub(expression, "", found), re.sub(expression, "", answer)
    if kind == "number" and (value := number(answer)) is not None:
        return number(found) == value
    if kind == "letter" and (labels := labels_like(answer)):
        return label(found, labels) == label(answer, labels)
    return _lines(found) == _lines(answer)


# What lm-eval calls: filters of (responses, documents), and the scores of (document, what a filter found).
INVALID = "[invalid]"
_GSM8K = re.compile(r"#### (\-?[0-9\.\,]+)")
_GSM8K_IGNORES = re.compile(r",|\$|(?s:.*#### )|\.$")


class AsPublished(str):
    """What lm-eval's own filter of its task gsm8k finds; it is compared as lm-eval compares it there."""


def strict(responses: Sequence[Sequence[str]], documents: Sequence[Mapping[str, Any]]) -> list[str]:
    return [_behind_marker(one[0], document) for one, document in zip(responses, documents, strict=True)]


def flexible(responses: Sequence[Sequence[str]], documents: Sequence[Mapping[str, Any]]) -> list[str]:
    return [_extracted(one[0], document) or INVALID for one, document in zip(responses, documents, strict=True)]


def strict_match(responses: Sequence[Sequence[str]], documents: Sequence[Mapping[str, Any]]) -> list[str]:
    found = [_GSM8K.search(one[0]) for one in responses]
    return [AsPublished(match[1].strip() if match else INVALID) for match in found]


def exact_match(document: Mapping[str, Any], results: Sequence[str]) -> dict[str, float]:
    found, answer = results[0], document["answer"]
    if isinstance(found, AsPublished):
        one, other = (_GSM8K_IGNORES.sub("", text).lower() for text in (found, answer))
        return {"exact_match": float(one == other)}
    return {"exact_match": float(same(found, answer, document["kind"], document["ignore"]))}


def choice_accuracy(document: Mapping[str, Any], results: Sequence[tuple[float, bool]]) -> dict[str, float]:
    """lm-eval's `acc` and `acc_norm`, which divides by the characters of a choice."""
    nats = [result[0] for result in results]
    by_character = [value / len(choice) for value, choice in zip(nats, document["choices"], strict=True)]
    best = {"acc": nats, "acc_norm": by_character}
    return {name: float(values.index(max(values)) == document["label"]) for name, values in best.items()}


def _behind_marker(text: str, document: Mapping[str, Any]) -> str:
    """As many lines as the answer has."""
    lines = sum(bool(line.strip()) for line in document["answer"].splitlines())
    found = behind(text, document["marker"], lines)
    if found is None:
        return INVALID
    return (leading_number(found) if document["kind"] == "number" else None) or found


def _extracted(text: str, document: Mapping[str, Any]) -> str | None:
    marker = (document["marker"] or "").strip()
    if document["kind"] == "number":
        return last_number(text.replace(marker, "\n") if marker else text)  # `2:2` is a time, unless `:` is the marker
    if document["kind"] == "letter":  # a rationale may speak of all choices
        said = behind(text, marker) if marker else None
        return label(said or "", document["labels"]) or label(text, document["labels"])
    return last_line(text, document["marker"])
