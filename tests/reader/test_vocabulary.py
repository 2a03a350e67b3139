"""Text to class ids and back."""

import numpy as np
import pytest

from captcha_exp.errors import InputError
from captcha_exp.reader.vocabulary import BLANK, Vocabulary


def test_characters_of_labels_are_sorted_and_unique_and_start_at_one() -> None:
    vocabulary = Vocabulary.from_labels(["b2a", "aab", "Z"])
    assert vocabulary.characters == "2Zab"
    assert vocabulary.num_classes == 5
    assert BLANK not in vocabulary.encode(["2Zab"])


def test_encoding_pads_with_zero_and_decoding_skips_it() -> None:
    vocabulary = Vocabulary("abc")
    encoded = vocabulary.encode(["abc", "b", ""])
    np.testing.assert_array_equal(encoded, np.array([[1, 2, 3], [2, 0, 0], [0, 0, 0]], np.int32))
    assert encoded.dtype == np.int32
    assert [vocabulary.decode(row) for row in encoded] == ["abc", "b", ""]
    assert vocabulary.encode([]).shape == (0, 0)


def test_encoding_an_unknown_character_names_label_and_character() -> None:
    with pytest.raises(InputError, match=r"Label 'axyx' has the character 'x', which is not in the vocabulary 'ab'\."):
        Vocabulary("ab").encode(["ab", "axyx"])
    assert Vocabulary("ab").unknown("axyxa") == "xy"


def test_decoding_an_id_that_is_no_class_is_refused() -> None:
    with pytest.raises(ValueError, match="Class id 3 is outside 0 to 2"):
        Vocabulary("ab").decode([1, 3])


@pytest.mark.parametrize("characters", ["ba", "aa"])
def test_a_vocabulary_out_of_order_or_with_repeats_is_refused(characters: str) -> None:
    with pytest.raises(InputError, match="must be sorted and unique"):
        Vocabulary(characters)


def test_no_labels_make_no_vocabulary() -> None:
    with pytest.raises(InputError, match="at least one character"):
        Vocabulary.from_labels([])
