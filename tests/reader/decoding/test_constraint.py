"""Reading inside a constraint against sums over all alignments."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from captcha_exp.errors import InputError
from captcha_exp.reader.decoding import (
    Constraint,
    build_automaton,
    decode_alternatives,
    log_language_probability,
    log_text_probability,
    read_lexicon,
    unreadable_words,
)
from tests.reader.decoding.references import (
    accepts,
    collapse,
    exhaustive,
    random_pattern,
    random_probabilities,
    texts_up_to,
)

TIME_STEPS = 6


def check_against_exhaustive(constraint: Constraint, allowed: set[str], seed: int) -> None:
    """Set, texts and confidences of four random images."""
    probabilities = random_probabilities(seed, 4, TIME_STEPS, 4)
    automaton = build_automaton(constraint, "abc", TIME_STEPS)
    totals = np.exp(log_language_probability(probabilities, automaton))
    found = decode_alternatives(probabilities, "abc", 5, automaton, width=400)
    for image, total, predictions in zip(probabilities, totals, found, strict=True):
        texts = {text: p for text, p in exhaustive(image, "abc").items() if text in allowed}
        assert total == pytest.approx(sum(texts.values()), rel=1e-6)
        likeliest = sorted(texts, key=texts.__getitem__, reverse=True)[:5]
        assert [p.text for p in predictions] == likeliest
        assert [p.confidence for p in predictions] == pytest.approx([texts[t] / total for t in likeliest], rel=1e-5)


@pytest.mark.parametrize("seed", range(12))
def test_a_random_pattern_has_the_exact_probability_of_its_texts(seed: int) -> None:
    random = np.random.default_rng(seed)
    while True:
        pattern = random_pattern(random, 4)
        readable = {
            t for t in exhaustive(random_probabilities(0, 1, TIME_STEPS, 4)[0], "abc") if re.fullmatch(pattern, t)
        }
        if readable:
            break
    check_against_exhaustive(Constraint(pattern=pattern), readable, seed)


@pytest.mark.parametrize(
    ("constraint", "allows"),
    [
        (Constraint(min_length=2), lambda t: len(t) >= 2),
        (Constraint(max_length=1), lambda t: len(t) <= 1),
        (Constraint(min_length=2, max_length=3, alphabet="ca"), lambda t: 2 <= len(t) <= 3 and "b" not in t),
        (Constraint(pattern="a*b+", min_length=3), lambda t: re.fullmatch("a*b+", t) and len(t) >= 3),
        (Constraint(lexicon=("ab", "aab", "c", "ccc", "abx", "")), lambda t: t in ("ab", "aab", "c", "ccc", "")),
        (Constraint(lexicon=("ab", "ba", "bb", "cab"), pattern=".b", alphabet="ab"), lambda t: t in ("ab", "bb")),
        (Constraint(lexicon=("aa", "a", "aaa"), min_length=2), lambda t: t in ("aa", "aaa")),
    ],
    ids=lambda value: str(value) if isinstance(value, Constraint) else "allows",  # equal in every process
)
def test_all_that_is_known_holds_at_once(constraint: Constraint, allows) -> None:
    allowed = {text for text in texts_up_to(TIME_STEPS, "abc") if allows(text)}
    check_against_exhaustive(constraint, allowed, seed=3)


@pytest.mark.parametrize("pattern", ["aaa", "a{3}|b{3}", "(ab|ba)c?a", "c?(aa)+", "[^a]a[^a]"])
@pytest.mark.parametrize("width", [1, 2])
def test_the_narrowest_beam_finds_a_text_that_is_allowed(pattern: str, width: int) -> None:
    """A prefix that can no longer be finished must not crowd out one that can, however likely it is."""
    for time_steps in (5, 6, 7):
        probabilities = random_probabilities(time_steps, 20, time_steps, 4)
        automaton = build_automaton(Constraint(pattern=pattern), "abc", time_steps)
        for (prediction,) in decode_alternatives(probabilities, "abc", 1, automaton, width):
            assert re.fullmatch(pattern, prediction.text)


@pytest.mark.parametrize("pattern", ["aa|b", "a{3}", "(aab|bba)+", "ab(ab)*", "a*b{2,}", "(a|b)(a|c)(c|b)c", "aa?b|cc"])
def test_the_time_steps_that_a_pattern_needs_are_exact(pattern: str) -> None:
    automaton = build_automaton(Constraint(pattern=pattern), "abc", 20)
    for time_steps in range(8):
        paths = itertools.product(range(4), repeat=time_steps)
        if any(re.fullmatch(pattern, collapse(path, "abc")) for path in paths):
            assert automaton.min_time_steps == time_steps
            break


def test_a_word_list_is_summed_up_alike_with_and_without_what_is_negligible() -> None:
    random = np.random.default_rng(0)
    characters = "abcdefgh"
    words = tuple({"".join(random.choice(list(characters), random.integers(2, 6))) for _ in range(3000)})
    sharp = random_probabilities(1, 3, 15, 9) ** 4
    probabilities = sharp / sharp.sum(axis=2, keepdims=True)
    automaton = build_automaton(Constraint(lexicon=words), characters, 15)
    assert automaton.is_tree
    whole = log_language_probability(probabilities, automaton)
    longest = max(map(len, words))
    ids = np.array([[[characters.index(c) + 1 for c in word] + [0] * (longest - len(word)) for word in words]])
    one_by_one = log_text_probability(probabilities, np.repeat(ids, 3, axis=0))
    np.testing.assert_allclose(whole, np.log(np.exp(one_by_one).sum(axis=1)), rtol=1e-9)
    np.testing.assert_allclose(
        log_language_probability(probabilities, automaton, one_by_one.max(axis=1)), whole, atol=1e-6
    )


def test_what_is_all_but_impossible_keeps_its_digits() -> None:
    """What enters a repeat is a state's sum less its likeliest node: a plain difference would be zero here."""
    probabilities = np.full((1, 9, 3), 1e-20, np.float32)
    probabilities[0, :, 1] = 1.0  # "a" at every step; "aa" needs a blank, "ba" a "b"
    automaton = build_automaton(Constraint(pattern="[ab]a"), "ab", 9)
    ids = np.array([[[1, 1], [2, 1]]])
    expected = np.log(np.exp(log_text_probability(probabilities, ids)).sum())
    assert log_language_probability(probabilities, automaton)[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        (Constraint(pattern="[0-9]{6}"), "No text satisfies pattern=[0-9]{6}; the model's characters are abc"),
        (Constraint(pattern="a{4}"), "pattern=a{4} needs at least 7 time steps, but this model gives 6."),
        (Constraint(min_length=9), "min_length=9 needs at least 7 time steps, but this model gives 6."),
        (Constraint(alphabet="xyz"), "alphabet=xyz has none of the model's characters: abc"),
        (Constraint(pattern="a+", alphabet="bc"), "No text satisfies pattern=a+ alphabet=bc;"),
        (Constraint(min_length=3, max_length=2), "min_length 3 is above max_length 2."),
        (Constraint(min_length=-1), "min_length must be at least 0, not -1."),
        (Constraint(lexicon=("dog", "cat")), "lexicon=(2 words) leaves no word that this model can read;"),
        (Constraint(lexicon=("ab",), max_length=1), "max_length=1 lexicon=(1 words) leaves no word"),
        (Constraint(lexicon=("aaaa",)), "lexicon=(1 words) needs at least 7 time steps, but this model gives 6."),
    ],
    ids=str,
)
def test_what_the_model_cannot_satisfy_is_refused_in_one_line(constraint: Constraint, message: str) -> None:
    with pytest.raises(InputError) as refused:
        build_automaton(constraint, "abc", TIME_STEPS)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


def test_a_huge_length_costs_no_more_than_a_long_one() -> None:
    automaton = build_automaton(Constraint(max_length=10**12), "abc", TIME_STEPS)
    assert accepts(automaton, "abcabc", "abc")


def test_a_word_list_is_a_word_a_line(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("\ufeffabc\r\n\n  ba \nabc\n", encoding="utf-8")
    assert read_lexicon(path) == ("abc", "ba")
    assert unreadable_words(("abc", "naïve", "b a"), "abc") == ["naïve", "b a"]
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"words\.txt cannot be read: not UTF-8 text"):
        read_lexicon(path)
    path.write_text("\n")
    with pytest.raises(InputError, match=r"words\.txt has no words; write one a line"):
        read_lexicon(path)
    with pytest.raises(InputError, match=r"gone cannot be read: No such file"):
        read_lexicon(tmp_path / "gone")
