"""Patterns against Python's own regular expressions."""

import re

import numpy as np
import pytest

from captcha_exp.errors import InputError
from captcha_exp.reader.decoding import Constraint, build_automaton
from tests.reader.decoding.references import accepts, random_pattern, texts_up_to


@pytest.mark.parametrize("seed", range(10))
def test_random_patterns_accept_what_python_matches(seed: int) -> None:
    random = np.random.default_rng(seed)
    texts = texts_up_to(5, "abc")
    for _ in range(30):
        pattern = random_pattern(random, 4)
        matched = {text for text in texts if re.fullmatch(pattern, text)}
        try:
            automaton = build_automaton(Constraint(pattern=pattern), "abc", 9)
        except InputError:
            # Nine steps have room for every text of five characters.
            assert not matched, pattern
            continue
        assert {text for text in texts if accepts(automaton, text, "abc")} == matched, pattern


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("^a$", "pattern=^a$ has an anchor (^, $, \\b, ...); a pattern covers the whole text anyway."),
        (r"a\b", r"pattern=a\b has an anchor"),
        ("a(?=b)", "pattern=a(?=b) has a look-ahead or look-behind."),
        ("(?<!a)b", "pattern=(?<!a)b has a look-ahead or look-behind."),
        (r"(a)\1", r"pattern=(a)\1 has a reference to a group."),
        ("a*?", "pattern=a*? has a lazy quantifier (*?, +?, ??); leave its last ? out."),
        ("a*+", "pattern=a*+ has a possessive quantifier."),
        ("(?>a)", "pattern=(?>a) has an atomic group."),
        ("(?i)a", "pattern=(?i)a sets a flag with (?...), which is not supported."),
        ("(?i:a)", "pattern=(?i:a) sets a flag with (?...), which is not supported."),
        ("[a", "pattern=[a is no regular expression: unterminated character set at position 0."),
        ("((a{50}){50}){50}", "pattern=((a{50}){50}){50} is too large: written out it has over 2000 places."),
        ("(a|b)*a(a|b){15}", "pattern=(a|b)*a(a|b){15} is too large: it needs more than 5000 states."),
        ("(" * 2000 + "a" + ")" * 2000, "pattern=((("),
    ],
)
def test_what_is_not_supported_is_refused_by_name(pattern: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        build_automaton(Constraint(pattern=pattern), "abc", 50)
    assert str(refused.value).startswith(message)


def test_python_still_has_the_private_parser_whose_trees_are_read() -> None:
    """What `decoding.syntax` takes from Python without a promise; where this fails, another parser is needed."""
    from re import _constants as sre  # type: ignore[attr-defined]
    from re import _parser as grammar  # type: ignore[attr-defined]

    parsed = grammar.parse(r"(?:ab?|[^\dx-z]{2,})")
    assert parsed.state.flags == re.UNICODE.value
    ((branch, (_, (first, second))),) = list(parsed) if parsed[0][0] is sre.BRANCH else list(parsed[0][1][3])
    assert branch is sre.BRANCH
    literal, (repeat, (least, most, content)) = first
    assert literal == (sre.LITERAL, ord("a"))
    assert (repeat, least, most, list(content)) == (sre.MAX_REPEAT, 0, 1, [(sre.LITERAL, ord("b"))])
    ((_, (least, most, content)),) = second
    negated = [(sre.NEGATE, None), (sre.CATEGORY, sre.CATEGORY_DIGIT), (sre.RANGE, (ord("x"), ord("z")))]
    assert (least, most, list(content)) == (2, sre.MAXREPEAT, [(sre.IN, negated)])


def test_a_class_means_those_of_its_characters_that_the_model_knows() -> None:
    automaton = build_automaton(Constraint(pattern="[A-Z0-9]{2}"), "05BTx", 10)
    assert [t for t in texts_up_to(2, "05BTx") if accepts(automaton, t, "05BTx")] == [
        *("00", "05", "0B", "0T", "50", "55", "5B", "5T", "B0", "B5", "BB", "BT", "T0", "T5", "TB", "TT"),
    ]
