"""The published ids, our fields, and dictionaries that may not run code."""

from __future__ import annotations

import pickle
import pickletools
from pathlib import Path

import pytest

from engines.bmt.vocabulary import KEYS, TEMPI, Vocabulary, load_dictionary, ordered, ours, published
from engines.errors import ModelError


def published_pickle(vocabulary: Vocabulary, protocol: int = 4) -> bytes:
    to_id = {f.key: {value: k for k, value in enumerate(f.values)} for f in vocabulary.fields}
    to_value = {f.key: dict(enumerate(f.values)) for f in vocabulary.fields}
    return pickle.dumps((to_id, to_value), protocol=protocol)


def test_the_published_fields_have_the_published_sizes() -> None:
    p = published()
    assert p.sizes == (56, 127, 18, 5, 85, 18, 41, 17, 21, 100, 5)
    assert sum(p.sizes) == 493
    assert sum(p.widths) == 2144
    assert [f.key for f in p.fields][2] == "bar-beat"
    assert [f.key for f in p.fields][9] == "p_time"


@pytest.mark.parametrize(
    ("field", "value", "id"),
    [
        ("tempo", 0, 0),
        ("tempo", "CONTI", 1),
        ("tempo", "Tempo_101", 2),
        ("tempo", "Tempo_32", 33),
        ("chord", "CONTI", 43),
        ("chord", "N_N", 126),
        ("barbeat", "Bar", 1),
        ("barbeat", "Beat_10", 4),
        ("barbeat", "Beat_2", 10),
        ("type", "EOS", 0),
        ("type", "Emotion", 1),
        ("type", "Metrical", 2),
        ("type", "Note", 3),
        ("type", "Rhythm", 4),
        ("pitch", "Note_Pitch_100", 1),
        ("pitch", "Note_Pitch_22", 7),
        ("duration", "Note_Duration_1080", 2),
        ("duration", "Note_Duration_120", 3),
        ("strength", 15, 15),
        ("strength", 18, 16),
        ("density", 20, 20),
        ("time", 99, 99),
        ("emotion", 4, 4),
    ],
)
def test_ids_are_the_published_ones(field: str, value: int | str, id: int) -> None:
    assert published().id(field, value) == id
    assert published().value(field, id) == value


def test_conti_lies_between_its_published_neighbours() -> None:
    chords = published().field("chord").values
    assert chords[42:45] == ("C#_sus4", "CONTI", "C_+")
    missing = {"D#_/o7", "G#_/o7", "A_/o7", "C_o7", "D_o7", "F_o7", "G_o7", "A_o7"}
    assert not missing & set(chords)


def test_integers_come_before_strings() -> None:
    assert ordered(["Beat_2", 3, "Beat_10", 0]) == (0, 3, "Beat_10", "Beat_2")


def test_tempi_are_the_54_that_the_published_corpus_held() -> None:
    assert len(TEMPI) == 54
    assert 152 not in TEMPI
    assert 173 not in TEMPI
    assert TEMPI[0] == 32
    assert TEMPI[-1] == 224


def test_our_fields_begin_with_the_published_eleven() -> None:
    assert [f.name for f in ours().fields][:11] == [f.name for f in published().fields]
    assert [f.name for f in ours().fields][11:] == ["key", "energy", "register"]
    assert len(KEYS) == 24
    assert len(set(KEYS)) == 24
    assert {"Melody", "Bridge", "Piano"} <= set(ours().field("type").values)
    for field in ours().fields:
        assert len(set(field.values)) == len(field.values)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_published_dictionary_is_read_back(tmp_path: Path, protocol: int) -> None:
    file = tmp_path / "dictionary.pkl"
    file.write_bytes(published_pickle(published(), protocol))
    found = load_dictionary(file)
    assert found.fields == published().fields
    assert found.name == "external"


class _Evil:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> object:
        return Path.touch, (self.marker,)


def test_a_dictionary_that_would_run_code_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    marker, file = tmp_path / "ran", tmp_path / "dictionary.pkl"
    file.write_bytes(pickle.dumps(({"tempo": _Evil(marker)}, {})))
    assert any(op.name == "REDUCE" for op, _, _ in pickletools.genops(file.read_bytes()))
    with pytest.raises(ModelError, match="asks for") as caught:
        load_dictionary(file)
    assert not marker.exists()
    assert "\n" not in str(caught.value)
    pickle.loads(file.read_bytes())  # the file does run code where code is allowed
    assert marker.exists()


def broken_dictionaries() -> list[tuple[str, object]]:
    def pair() -> tuple[dict[str, dict[object, object]], dict[str, dict[object, object]]]:
        found: tuple[dict[str, dict[object, object]], dict[str, dict[object, object]]] = pickle.loads(
            published_pickle(published())
        )
        return found

    gap, words, apart, float_value, lost = pair(), pair(), pair(), pair(), pair()
    gap[0]["tempo"]["CONTI"] = 99
    words[0]["tempo"]["CONTI"] = "one"
    apart[1]["chord"][5] = "Z_M"
    float_value[0]["density"] = {0.5 * k: k for k in range(21)}
    del lost[0]["emotion"]
    return [
        ("a list", [1, 2]),
        ("a pair of lists", ([], [])),
        ("an id that is missing", gap),
        ("an id that is a word", words),
        ("tables that disagree", apart),
        ("values that are fractions", float_value),
        ("a field that is missing", lost),
        ("a field that nobody knows", ({"loudness": {0: 0}}, {"loudness": {0: 0}})),
        ("a table that is a number", ({"tempo": 3}, {"tempo": 3})),
    ]


@pytest.mark.parametrize(("what", "content"), broken_dictionaries(), ids=lambda v: v if isinstance(v, str) else "")
def test_a_broken_dictionary_is_refused_in_one_line(tmp_path: Path, what: str, content: object) -> None:
    file = tmp_path / "dictionary.pkl"
    file.write_bytes(pickle.dumps(content))
    with pytest.raises(ModelError) as caught:
        load_dictionary(file)
    assert "\n" not in str(caught.value)
    assert "dictionary.pkl" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\x80", b"no pickle at all", b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f"])
def test_noise_is_no_dictionary(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "dictionary.pkl"
    file.write_bytes(content)
    with pytest.raises(ModelError, match="not a plain dictionary"):
        load_dictionary(file)


def test_a_missing_dictionary_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        load_dictionary(tmp_path / "none.pkl")
