"""The table that holds each answer at once."""

from pathlib import Path

import pytest

from captcha_exp.errors import InputError
from captcha_exp.label.label_table import LabelledFile, LabelTable
from tests.small_disk import SmallDisk
from tests.told import hearing

ROWS = [LabelledFile("a.png", "4F7k", "train"), LabelledFile("b.png", '=1+1,"x";', "test")]


@pytest.fixture
def table(tmp_path: Path) -> LabelTable:
    table = LabelTable(tmp_path / "labels.csv")
    for row in ROWS:
        table.append(row)
    return table


def test_each_row_is_in_the_file_when_it_is_written_and_is_there_again_at_the_next_start(table: LabelTable) -> None:
    assert table.path.read_text() == 'file,label,split\na.png,4F7k,train\nb.png,"=1+1,""x"";",test\n'
    assert LabelTable(table.path).rows == table.rows == ROWS


def test_the_last_row_goes_and_the_others_stay_to_the_byte(table: LabelTable) -> None:
    assert table.remove_last() == ROWS[1]
    assert table.path.read_text() == "file,label,split\na.png,4F7k,train\n"
    assert LabelTable(table.path).rows == table.rows == ROWS[:1]


def test_what_another_program_wrote_is_not_taken_away(table: LabelTable) -> None:
    changed = table.path.read_text() + "c.png,new,train\n"
    table.path.write_text(changed)
    with pytest.raises(InputError, match="does not end with the last label: another program has changed it"):
        table.remove_last()
    assert table.path.read_text() == changed
    assert table.rows == ROWS


@pytest.mark.parametrize(
    ("end", "kept", "lines"),
    [
        ("c.png,cut o", ROWS, 1),
        ("c.png,cut off,tra", ROWS, 1),
        ('c.png,"cut', ROWS, 1),
        ("c.png,whole,train", [*ROWS, LabelledFile("c.png", "whole", "train")], 0),
    ],
)
def test_a_row_that_was_cut_off_goes_and_one_that_only_lacks_its_end_stays(
    table: LabelTable, end: str, kept: list[LabelledFile], lines: int
) -> None:
    table.path.write_text(table.path.read_text() + end)
    told: list[str] = []
    with hearing(told.append):
        again = LabelTable(table.path)
    again.append(ROWS[0])
    assert LabelTable(table.path).rows == [*kept, ROWS[0]]
    assert [line.endswith("the last row was cut off, and is removed") for line in told] == [True] * lines


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,text\na.png,x\n", "has the columns 'name', 'text' and not file, label, split: it is another table"),
        ("file,label,split\na.png,x\n", "has a row of 2 cells and not 3"),
        ('file,label,split\n"a.png,x,train\n', "cannot be read as a table after line"),
    ],
)
def test_a_table_of_another_kind_stays_as_it_is(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        LabelTable(path)
    assert path.read_text() == content


def test_a_table_has_a_csv_name_in_a_folder_that_exists(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^table=.*labels\.txt must end in \.csv\.$"):
        LabelTable(tmp_path / "labels.txt")
    with pytest.raises(InputError, match=r"the folder .*nowhere does not exist\.$"):
        LabelTable(tmp_path / "nowhere" / "labels.csv")


def test_a_label_for_which_the_disk_has_no_room_is_refused_and_the_next_one_is_written(small_disk: SmallDisk) -> None:
    table = LabelTable(small_disk.path / "labels.csv")
    small_disk.leave(0)
    long = LabelledFile("a.png", "x" * 5000, "train")
    with pytest.raises(InputError, match="No space left on device"):
        table.append(long)
    assert table.path.read_text() == "file,label,split\n"
    small_disk.make_room()
    table.append(ROWS[0])
    assert LabelTable(table.path).rows == table.rows == ROWS[:1]
