"""What is known of all texts decides what is read, exactly."""

import numpy as np
import pytest

from captcha_exp.errors import InputError
from captcha_exp.reader.decoding import Decoder, Knowledge, decode
from tests.reader.decoding.references import accepts, exhaustive, random_probabilities, texts_up_to

CHARACTERS = "abc"
THREE = Knowledge((None, "b", "ac"))


def test_the_automaton_accepts_exactly_the_texts_that_are_allowed() -> None:
    automaton = THREE.automaton(CHARACTERS)
    texts = texts_up_to(4, CHARACTERS)
    ids = np.array([[CHARACTERS.index(char) + 1 for char in text] + [0] * (4 - len(text)) for text in texts])
    allowed = [THREE.allows(text) for text in texts]
    assert sum(allowed) == 3 * 1 * 2
    assert [accepts(automaton, text, CHARACTERS) for text in texts] == allowed
    assert automaton.accepts(ids).tolist() == allowed


@pytest.mark.parametrize("knowledge", [THREE, Knowledge((None,) * 2)], ids=str)
@pytest.mark.parametrize("width", [None, 500])
def test_a_text_that_is_not_allowed_becomes_the_likeliest_that_is(knowledge: Knowledge, width: int | None) -> None:
    probabilities = random_probabilities(1, 60, 6, 4)
    plain = decode(probabilities, CHARACTERS)
    kept = 0
    for row, before, found in zip(
        probabilities, plain, Decoder(CHARACTERS, width, knowledge)(probabilities), strict=True
    ):
        possible = {text: p for text, p in exhaustive(row, CHARACTERS).items() if knowledge.allows(text)}
        greedy_fits = width is None and knowledge.allows(before.text)
        kept += greedy_fits
        assert found.text == before.text if greedy_fits else max(possible, key=possible.__getitem__)
        assert found.confidence == pytest.approx(possible[found.text] / sum(possible.values()), rel=1e-5)
    assert width is not None or 0 < kept < 60, "both kinds"


def test_without_knowledge_all_is_as_before() -> None:
    probabilities = random_probabilities(2, 40, 9, 4)
    for width in (None, 5):
        assert Decoder(CHARACTERS, width)(probabilities) == decode(probabilities, CHARACTERS, width)


def test_metadata_describes_a_decoder_also_that_of_earlier_versions() -> None:
    for width in (None, 7):
        for knowledge in (None, THREE):
            decoder = Decoder(CHARACTERS, width, knowledge)
            assert Decoder.of_metadata({"characters": CHARACTERS, "decoding": decoder.metadata()}) == decoder
    assert Decoder(CHARACTERS).metadata() == {"kind": "greedy"}
    earlier = {"characters": CHARACTERS, "decoding": {"kind": "greedy", "beam_width": 1}}
    assert Decoder.of_metadata(earlier) == Decoder(CHARACTERS)


def test_a_length_for_which_there_are_too_few_time_steps_is_refused() -> None:
    decoder = Decoder(CHARACTERS, None, Knowledge((None,) * 5))
    assert len(decoder(random_probabilities(0, 2, 5, 4))[0].text) == 5
    with pytest.raises(InputError, match=r"reads only texts of 5 characters, .* at least 5 time steps, but it gives 4"):
        decoder(random_probabilities(0, 2, 4, 4))


def test_it_is_told_in_a_few_words() -> None:
    assert str(Knowledge((None,))) == "texts of 1 character"
    assert str(THREE) == "texts of 3 characters, with only some of all characters at position 2, 3"
