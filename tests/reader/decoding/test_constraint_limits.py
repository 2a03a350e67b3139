"""How much what is known of a text may take."""

import tracemalloc
from pathlib import Path

import pytest

from captcha_exp.errors import InputError
from captcha_exp.reader.decoding import (
    Automaton,
    AutomatonCache,
    Constraint,
    automaton_cache,
    build_automaton,
    lexicon,
    read_lexicon,
)
from tests.reader.decoding.references import accepts

TIME_STEPS = 6


def test_a_word_of_a_million_characters_costs_the_others_nothing() -> None:
    words = tuple(f"{number:05b}".translate({48: "a", 49: "b"}) for number in range(32))
    tracemalloc.start()
    automaton = build_automaton(Constraint(lexicon=("a" * 10**6, *words)), "abc", TIME_STEPS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert accepts(automaton, "abbab", "abc")
    assert peak < 1 << 20
    with pytest.raises(
        InputError, match=r"lexicon=\(1 words\) needs at least 1000000 time steps, but this model gives 6"
    ):
        build_automaton(Constraint(lexicon=("a" * 10**6,)), "abc", TIME_STEPS)


def test_an_alphabet_of_a_million_characters_is_shown_in_part() -> None:
    with pytest.raises(InputError) as refused:
        build_automaton(Constraint(alphabet="-" * 10**6), "abc", TIME_STEPS)
    assert str(refused.value).endswith("-... (1000000 characters) has none of the model's characters: abc")
    assert len(str(refused.value)) < 300


def test_more_words_than_fit_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lexicon, "MAX_LEXICON_CELLS", 20)
    message = r"lexicon=\(3 words\) has too many words of too many characters; leave the rarest out"
    with pytest.raises(InputError, match=message):
        build_automaton(Constraint(lexicon=("abc", "bca", "cab")), "abc", TIME_STEPS)
    with pytest.raises(InputError, match=r"lexicon=/dev/zero has more than 64 MiB; leave words out"):
        read_lexicon(Path("/dev/zero"))


def test_the_automata_kept_are_bounded_in_number_and_size(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Constraint] = []

    def build(constraint: Constraint) -> Automaton:
        built.append(constraint)
        return build_automaton(constraint, "abc", TIME_STEPS)

    automata = AutomatonCache(build)
    constraints = [Constraint(pattern=f"(ab){{{least},}}|c{{{most}}}") for least in range(3) for most in range(1, 21)]
    for constraint in constraints:
        assert automata(constraints[0]) is automata(constraints[0])
        automata(constraint)
    assert len(automata) == automaton_cache.MOST_KEPT
    assert built == constraints
    monkeypatch.setattr(automaton_cache, "MOST_BYTES", automata.nbytes // 4)
    automata(constraints[1])
    assert 1 < len(automata) < automaton_cache.MOST_KEPT // 2
    monkeypatch.setattr(automaton_cache, "MOST_BYTES", 1)
    last = automata(constraints[2])
    assert len(automata) == 1
    assert automata(constraints[2]) is last
