"""The compose panel: the picture's suggestion beside the composer's word, the engine, the seed, progress and cancel, the rights card."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import Event as Flag
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QColor, QImage
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from seated import PATIENCE, Seat, at_seat  # noqa: F401  a fixture
from sittings import Trio

import desktop.compose_told
from bridge.jobs import JobReading
from desktop import theme
from desktop.app import speak
from desktop.compose_brief import field_words
from desktop.compose_panel import FRESH, Compose
from desktop.compose_slider import ToldSlider
from desktop.compose_told import KEYS, MOOD_NAMES, NUMBERS, Spread, Suggested, maker, own, suggested, wider
from desktop.compose_wish import wishes_of
from desktop.compose_work import Work, left_words
from desktop.rights_card import card_html
from desktop.theme import current
from engines.commands import Hold, Join, Tell, Title
from engines.engine import ENGINES, MOODS
from engines.errors import Cancelled
from engines.picture.motion import BINS, Motion
from engines.runtime import choose, repository
from engines.session.model import Picture, Session, Told
from engines.session.picture import packed
from engines.session.refill import next_seed
from engines.session.told import RANGES, said, scene_brief, seen
from engines.spotting.brief import key_name

Key = Qt.Key


@pytest.fixture
def panel(seat: Seat, qtbot: QtBot) -> Compose:
    made = Compose(seat.document, seat.transport)
    qtbot.addWidget(made)
    made.resize(380, 720)
    made.show()
    return made


def test_moods_keys_and_ranges_are_the_engines_own() -> None:
    assert {name: number for number, name in MOOD_NAMES.items()} == MOODS
    assert all(key_name(key) for key in KEYS)
    for name, (low, high, _) in NUMBERS.items():
        assert (low, high) == RANGES[name]


def test_a_slider_says_what_is_meant_once(seat: Seat, panel: Compose, qtbot: QtBot) -> None:
    slider = panel.brief.sliders["density"]
    slider.setFocus()
    for _ in range(3):
        qtbot.keyClick(slider, Key.Key_Right)
    expected = slider.amount
    qtbot.waitUntil(lambda: own(seat.session, 1).density is not None, timeout=PATIENCE)
    assert own(seat.session, 1) == Told(density=int(expected))
    assert seat.steps == ["Brief scene 1"]
    pane = slider.rect()
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(pane.left() + 20, pane.center().y()))
    qtbot.mouseMove(slider, QPoint(pane.center().x(), pane.center().y()))
    assert seat.steps == ["Brief scene 1"]  # nothing is said while it moves
    seat.change(lambda: qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=pane.center()))
    assert seat.steps == ["Brief scene 1", "Brief scene 1"]
    seat.change(seat.document.undo)
    assert own(seat.session, 1).density == int(expected)
    assert slider.amount == expected


def test_a_field_is_given_back_to_the_picture(seat: Seat, panel: Compose, qtbot: QtBot) -> None:
    calm = panel.brief.moods.button(4)
    seat.change(lambda: qtbot.mouseClick(calm, Qt.MouseButton.LeftButton))
    assert own(seat.session, 1).mood == 4
    assert calm.isChecked()
    reset = panel.brief.resets["mood"]
    assert reset.isVisible()
    seat.change(lambda: qtbot.mouseClick(reset, Qt.MouseButton.LeftButton))
    assert own(seat.session, 1).mood is None
    assert not calm.isChecked()
    assert not reset.isVisible()


def test_the_cue_speaks_for_scenes_that_say_nothing(seat: Seat, panel: Compose, qtbot: QtBot) -> None:
    qtbot.mouseClick(panel.scope.button(0), Qt.MouseButton.LeftButton)
    assert panel.scene is None
    seat.change(lambda: panel.brief._say(energy=0.8, key="D:min"))
    assert seat.session.told == {"cue": Told(energy=0.8, key="D:min")}
    qtbot.mouseClick(panel.scope.button(1), Qt.MouseButton.LeftButton)
    assert wider(seat.session, 1) == Told(energy=0.8, key="D:min")
    assert "cue: 80 %" in panel.brief.said["energy"].text()
    assert not panel.brief.resets["energy"].isVisible()  # what the cue says is taken back there
    assert panel.brief.key.currentData() == "D:min"
    seat.transport.locate(seat.transport.timing.frames - 1)
    assert panel.scene == 3
    assert panel.where.text() == "3, bars 14–20"
    seat.change(lambda: panel.brief._say(energy=0.2))
    assert seat.session.told["s3"] == Told(energy=0.2)
    assert panel.brief.resets["energy"].isVisible()


def test_chords_are_written_and_taken_back(seat: Seat, panel: Compose, qtbot: QtBot) -> None:
    field = panel.brief.chords
    field.setFocus()
    qtbot.keyClicks(field, "C:maj A:min")
    seat.change(lambda: qtbot.keyClick(field, Key.Key_Return))
    assert own(seat.session, 1).chords == ("C:maj", "A:min")
    assert field.text() == "C Am"  # kept in one form, said as musicians do
    field.setText("")
    seat.change(field.editingFinished.emit)
    assert own(seat.session, 1).chords is None


def test_a_theme_is_chosen_by_its_scene_and_given_back(seat: Seat, panel: Compose, qtbot: QtBot) -> None:
    box = panel.brief.theme
    seat.change(lambda: seat.document.act(Title("chorus", 2)))
    assert [box.itemText(k) for k in range(box.count())] == [
        *("by chance", "nothing returns", "scene 1", "scene 2, chorus", "scene 3"),
    ]
    box.setCurrentIndex(3)
    seat.change(lambda: box.activated.emit(3))
    assert own(seat.session, 1) == Told(theme="s2")
    assert panel.brief.resets["theme"].isVisible()
    seat.change(lambda: seat.document.act(Join(2)))
    assert box.currentText() == "scene 2, chorus"
    qtbot.mouseClick(panel.scope.button(0), Qt.MouseButton.LeftButton)
    box.setCurrentIndex(1)
    seat.change(lambda: box.activated.emit(1))
    assert own(seat.session, None) == Told(theme="none")
    qtbot.mouseClick(panel.scope.button(1), Qt.MouseButton.LeftButton)
    reset = panel.brief.resets["theme"]
    seat.change(lambda: qtbot.mouseClick(reset, Qt.MouseButton.LeftButton))
    assert own(seat.session, 1).theme is None
    assert box.currentText() == "nothing returns"
    assert "from the cue" in panel.brief.said["theme"].text()
    panel.brief.show_told(Told(theme="s9"), Told(), Suggested(), scenes={"s1": "scene 1"})
    assert box.currentText() == "a scene that is gone"


def test_common_names_of_chords_are_taken_and_one_that_is_none_is_marked(seat: Seat, panel: Compose, qtbot: QtBot) -> None:
    field, plain = panel.brief.chords, panel.brief.chords.toolTip()
    field.setFocus()
    qtbot.keyClicks(field, "Cm7 F/A Bb F#m7b5")
    seat.change(lambda: qtbot.keyClick(field, Key.Key_Return))
    assert own(seat.session, 1).chords == ("C:min7", "F:maj/A", "Bb:maj", "F#:hdim7")
    field.selectAll()
    qtbot.keyClicks(field, "Cm7 Hdur")
    qtbot.keyClick(field, Key.Key_Return)
    assert len(seat.refused) == 1
    field.editingFinished.emit()  # the keys leave it: it is told once
    assert len(seat.refused) == 1
    assert "no chord is named Hdur" in field.toolTip() == field.accessibleDescription()
    assert field.property("refused")
    assert field.palette().text().color() == QColor(current().missed)
    seat.change(lambda: seat.document.act(Tell(Told(energy=0.5), 1)))
    assert field.text() == "Cm7 Hdur"  # it stays to be put right, whatever else happens
    assert own(seat.session, 1).chords == ("C:min7", "F:maj/A", "Bb:maj", "F#:hdim7")
    qtbot.keyClicks(field, "x")
    assert not field.property("refused")
    assert field.toolTip() == plain
    assert not field.accessibleDescription()
    qtbot.keyClick(field, Key.Key_Return)
    assert field.property("refused")
    seat.transport.locate(seat.transport.timing.frames - 1)
    assert not field.property("refused")  # another scene
    assert field.text() == ""


def test_a_mood_that_may_be_chosen_does_not_look_disabled(panel: Compose, qtbot: QtBot) -> None:
    button = panel.brief.moods.button(1)
    assert button is not None
    for look in ("dark", "light"):
        theme.wear(QApplication.instance(), look)  # type: ignore[arg-type]
        free = button.grab().toImage()
        button.setEnabled(False)
        shut = button.grab().toImage()
        button.setEnabled(True)
        assert _nearest(free, current().text) < 60 < _nearest(shut, current().text)


def _nearest(image: QImage, name: str) -> int:
    """How near any pixel comes to a colour, 0 to 765."""
    wanted = QColor(name)
    return min(
        abs(c.red() - wanted.red()) + abs(c.green() - wanted.green()) + abs(c.blue() - wanted.blue())
        for c in (image.pixelColor(x, y) for x in range(3, image.width() - 3) for y in range(3, image.height() - 4))
    )


def with_picture(session: Session) -> Session:
    """The session over a film that moves and shines, four samples a second."""
    rng, count = np.random.default_rng(3), int(session.film.duration * 4)
    times = tuple(Fraction(k, 4) for k in range(count))
    frames = np.array([int(time * session.film.rate) for time in times])
    cuts = tuple(cut.time for cut in session.programme.cuts)
    measured = [rng.random(count) for _ in range(9)]
    motion = Motion(frames, times, Fraction(4), session.film.duration, cuts, *measured, rng.random((count, BINS), np.float32))
    return replace(session, picture=Picture(packed(motion)))


def test_what_the_picture_suggests_is_what_an_engine_would_be_told(seat: Seat) -> None:
    assert suggested(seat.session, 1) == Suggested(key=seat.session.key)  # without a picture nothing is suggested
    session = with_picture(seat.session)
    for scene in (1, 2, 3, None):
        told = suggested(session, scene)
        spans = session.spans if scene is None else (session.span(scene),)
        rows = [row for span in spans for row in said(session, span)]
        energies = [row.brief.energy for row in rows]
        assert told.energy is not None
        assert (told.energy.low, told.energy.high) == (min(energies), max(energies))  # type: ignore[type-var]
        densities = [row.brief.density * 4 / float(row.brief.length) for row in rows]  # type: ignore[operator]
        assert told.density is not None
        assert told.density.mean == pytest.approx(sum(densities) / len(densities))
        assert told.mood == (scene_brief(session, spans[0]).mood if scene else seen(session).brief.mood)
    loud = replace(session, told={"s1": Told(energy=0.9, density=16, mood=1)})
    assert suggested(loud, 1) == suggested(session, 1)  # the picture does not hear the composer


def test_the_panel_shows_the_suggestion_beside_the_word(seat: Seat, panel: Compose, qtbot: QtBot) -> None:
    session = with_picture(seat.session)
    panel.show_session(replace(session, told={"s1": Told(energy=0.9)}))
    qtbot.waitUntil(lambda: panel.brief.sliders["energy"].spread is not None, timeout=PATIENCE)
    told = suggested(session, 1)
    assert told.energy is not None
    text = panel.brief.said["energy"].text()
    theme = current()
    assert f"<span style='color:{theme.text}'>90 %</span>" in text
    assert f"<span style='color:{theme.dim}'>{100 * told.energy.low:.0f}" in text
    density = panel.brief.sliders["density"]
    assert told.density is not None
    assert density.amount == round(told.density.mean)  # the handle stands where the picture would have it
    assert f"color:{theme.text}" not in panel.brief.said["density"].text()
    lit = [button for button in panel.brief.moods.buttons() if button.suggested]  # type: ignore[attr-defined]
    assert [panel.brief.moods.id(button) for button in lit] == [told.mood]


def test_a_refill_asks_with_the_engine_and_the_seed_that_are_set(seat: Seat, panel: Compose, qtbot: QtBot) -> None:
    assert panel.seed.value() == FRESH
    assert str(next_seed(seat.session)) in panel.seed.specialValueText()
    panel.seed.setValue(4711)
    seat.composed(lambda: qtbot.mouseClick(panel.refill, Qt.MouseButton.LeftButton))
    assert seat.chosen(1).seed == 4711
    assert panel.seed.value() == FRESH  # a seed is for once, unless it is locked
    qtbot.mouseClick(panel.dice, Qt.MouseButton.LeftButton)
    thrown = panel.seed.value()
    assert thrown != FRESH
    qtbot.mouseClick(panel.lock, Qt.MouseButton.LeftButton)
    for _ in range(2):
        seat.composed(lambda: wishes_of(seat.document).refill(2))
        assert seat.chosen(2).seed == thrown
    first, second = (take.notes for take in list(seat.session.takes_of(seat.session.scenes[1]).values())[-2:])
    assert first == second
    assert panel.seed.value() == thrown


def test_locking_without_a_seed_locks_the_next_one(seat: Seat, panel: Compose, qtbot: QtBot) -> None:
    wanted = next_seed(seat.session)
    qtbot.mouseClick(panel.lock, Qt.MouseButton.LeftButton)
    assert panel.seed.value() == wanted
    assert wishes_of(seat.document).seed == wanted
    assert wishes_of(seat.document).locked


def test_refill_all_leaves_out_what_is_kept(seat: Seat, panel: Compose, qtbot: QtBot) -> None:
    seat.composed(lambda: qtbot.mouseClick(panel.refill_all, Qt.MouseButton.LeftButton), takes=3)
    assert seat.steps[0] == "Score the cue"
    seat.change(lambda: seat.document.act(Hold(2, ("8-13",))))
    seat.transport.locate(seat.transport.timing.frames // 2)
    assert panel.scene == 2
    assert not panel.refill.isEnabled()
    seat.composed(panel.wishes.refill_all, takes=2)
    assert [seat.chosen(number).number for number in (1, 2, 3)] == [3, 2, 3]


def test_another_engine_is_named_with_its_model_and_asked(
    seat: Seat,
    panel: Compose,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(ENGINES, "duo", "sittings:Trio")
    panel.show_session(seat.session)
    place = panel.engine.findText("duo")
    assert place >= 0
    panel.engine.setCurrentIndex(place)
    panel.engine.activated.emit(place)
    seat.composed(lambda: qtbot.mouseClick(panel.refill, Qt.MouseButton.LeftButton))
    assert seat.chosen(1).orders[0].engine == "duo"
    panel.engine.setCurrentText("bmt")
    panel.engine.activated.emit(0)
    qtbot.waitUntil(lambda: "BM-Transformer" in panel.model.text(), timeout=PATIENCE)
    assert "composing on" in panel.model.toolTip()


def test_a_model_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HITPOINT_MODELS", str(tmp_path))
    told = maker("bmt")
    assert told.trouble is not None
    assert "no such model" in told.trouble
    assert "no such model" in card_html("bmt")
    monkeypatch.delenv("HITPOINT_MODELS")
    monkeypatch.setenv("HITPOINT_PROVIDER", "abacus")
    choose.cache_clear()
    try:
        assert "no provider is named" in str(maker("bmt").trouble)
    finally:
        choose.cache_clear()


# work that takes long


class Slow(Trio):
    """Composes when it is told to, and looks at ``cancelled`` while it waits."""

    began, go = Flag(), Flag()

    def compose(self, *args: Any, **named: Any) -> Any:
        cancelled, told = named.get("cancelled") or args[4], named.get("on_progress") or args[3]
        self.began.set()
        told(1, 4)
        while not self.go.wait(0.01):
            if cancelled and cancelled():
                raise Cancelled
        return super().compose(*args, **named)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Slow]]:
    Slow.began.clear()
    Slow.go.clear()
    monkeypatch.setitem(ENGINES, "slow", f"{__name__}:Slow")
    yield Slow
    Slow.go.set()


def test_cancel_stops_the_work_and_leaves_nothing(seat: Seat, panel: Compose, qtbot: QtBot, slow: type[Slow]) -> None:
    before = seat.session
    wishes_of(seat.document).wish("slow")
    panel.refill.click()
    qtbot.waitUntil(lambda: slow.began.is_set() and panel.work.bar.value() == 250, timeout=PATIENCE)
    assert panel.work.words.text() == "Refill scene 1"
    assert panel.work.stop.isEnabled()
    panel.brief._say(mood=3)  # the composer goes on meanwhile
    qtbot.waitUntil(lambda: own(seat.session, 1).mood == 3, timeout=PATIENCE)
    qtbot.mouseClick(panel.work.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.work.current is None, timeout=PATIENCE)
    assert not panel.work.stop.isEnabled()
    assert panel.work.words.text() == ""
    assert seat.session.takes == before.takes
    assert seat.refused == []


def test_the_line_of_work_counts_down(qapp: QApplication, qtbot: QtBot) -> None:
    speak(qapp, "en")
    times = {None: "", 0.2: "1 second left", 41.6: "42 seconds left", 150.0: "2 minutes left"}
    assert {seconds: left_words(seconds) for seconds in times} == times
    work, asked = Work(), []
    qtbot.addWidget(work)
    work.cancel_asked.connect(asked.append)
    work.show_job(JobReading(7, "Score the cue", "engine", "working", "compose", 30, 120, 10.0, 30.0))
    work.show_job(JobReading(8, "Refill scene 2", "engine", "waiting"))
    assert work.bar.value() == 250
    assert "30 seconds left" in work.left.text()
    assert "Score the cue" in work.words.text()
    assert "1 more" in work.words.text()
    work.cancel()
    assert asked == [7]
    work.show_job(JobReading(7, "Score the cue", "engine", "done"))
    assert work.left.text() == "waits"
    work.show_job(JobReading(8, "Refill scene 2", "engine", "working"))
    assert work.bar.maximum() == 0  # nothing is known yet: it shows only that it works
    work.show_job(JobReading(8, "Refill scene 2", "engine", "failed"))
    assert work.current is None


def test_the_rights_card_is_one_click_away_and_says_what_the_card_says(seat: Seat, panel: Compose, qtbot: QtBot) -> None:
    panel.wishes.wish("bmt")
    panel._show_wishes()
    card = panel.show_rights()
    facts = tomllib.loads((repository() / "bmt" / "card.toml").read_text("utf-8"))
    shown = card.model.toPlainText()
    for value in (*facts["licence"].values(), *facts["data"].values(), facts["sha256"]):
        assert str(value) in shown
    assert shown.index(facts["licence"]["weights"]) < shown.index(facts["architecture"])
    assert card.pages.count() == 2
    assert "Nothing in this cue" in card.cue.toPlainText() or "Engine trio" in card.cue.toPlainText()
    card.copy()
    assert facts["data"]["licence"] in QApplication.clipboard().text()  # type: ignore[union-attr]
    card.close()


def test_values_are_said_as_a_composer_says_them() -> None:
    assert field_words("register", 60.4) == "C4"
    assert field_words("energy", 0.55) == "55 %"
    assert field_words("key", "F#:min") == "F# minor"
    assert field_words("mood", 4) == "calm"
    assert field_words("chords", ("C:min7", "N")) == "Cm7 N"


def test_a_slider_shows_the_picture_until_the_composer_speaks(qtbot: QtBot) -> None:
    slider = ToldSlider(0, 16, 1)
    qtbot.addWidget(slider)
    slider.show_values(None, Spread(2, 5, 9), False)
    assert slider.amount == 5
    slider.show_values(12, Spread(2, 5, 9), False)
    assert slider.amount == 12


def test_the_briefing_is_not_worked_out_again_for_words_of_the_composer(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr(desktop.compose_told, "seen", lambda session: calls.append(1) or seen(session))
    desktop.compose_told._briefing.cache_clear()
    suggested(seat.session, 1)
    seat.change(lambda: seat.document.studio.tell(Told(mood=1), 1))
    suggested(seat.session, 2)
    assert len(calls) == 1


class Hearing(Trio):
    """An engine that hears features of the film, and takes any file for them."""

    features: tuple[Path, ...] = ()

    def __init__(self, provider: str | None = None, mode: str | None = None, features: tuple[Path, ...] = ()) -> None:
        super().__init__(provider, mode)
        self.features = features


@pytest.fixture
def hearing(trio: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(ENGINES, "hearing", f"{__name__}:Hearing")
    return "hearing"


def heard_by(session: Session) -> list[str]:
    return [Path(file.path).name for file in session.features]


def test_features_of_the_film_are_chosen_heard_and_left_out(
    hearing: str, seat: Seat, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PyQt6.QtWidgets import QFileDialog

    files = [tmp_path / "visual.npy", tmp_path / "captions.npy"]
    for file in files:
        file.write_bytes(file.name.encode())
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(file) for file in files], ""))
    panel = Compose(seat.document, seat.transport)
    qtbot.addWidget(panel)
    panel.show()
    panel.engine.setCurrentText("bmt")
    panel.engine.activated.emit(0)
    qtbot.waitUntil(lambda: "bmt" in wishes_of(seat.document).engine_of(seat.session), timeout=PATIENCE)
    qtbot.waitUntil(lambda: not panel.features.choose.isEnabled(), timeout=PATIENCE)
    panel.engine.setCurrentText(hearing)
    panel.engine.activated.emit(0)
    qtbot.waitUntil(panel.features.choose.isEnabled, timeout=PATIENCE)
    assert panel.features.named.text() == "none"
    qtbot.mouseClick(panel.features.choose, Qt.MouseButton.LeftButton)
    assert panel.features.named.text() == "visual.npy, captions.npy"
    seat.change(lambda: qtbot.mouseClick(panel.refill, Qt.MouseButton.LeftButton))
    order = seat.session.take(seat.session.scenes[0])[1].orders[-1]
    assert [Path(file.path) for file in order.features] == files
    qtbot.mouseClick(panel.features.leave, Qt.MouseButton.LeftButton)
    assert panel.features.named.text() == "none"
    seat.change(lambda: qtbot.mouseClick(panel.refill, Qt.MouseButton.LeftButton))
    assert not seat.session.take(seat.session.scenes[0])[1].orders[-1].features


def test_features_become_the_sessions_with_a_refill_by_its_own_engine(
    hearing: str, seat: Seat, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENGINES, seat.session.engine, f"{__name__}:Hearing")
    file = tmp_path / "visual.npy"
    file.write_bytes(b"visual")
    panel = Compose(seat.document, seat.transport)
    qtbot.addWidget(panel)
    panel.show()
    panel.features.chosen.emit((file,))
    assert wishes_of(seat.document).features == (file,)
    seat.change(lambda: qtbot.mouseClick(panel.refill, Qt.MouseButton.LeftButton))
    assert heard_by(seat.session) == ["visual.npy"]
    qtbot.waitUntil(lambda: wishes_of(seat.document).features is None, timeout=PATIENCE)
    assert panel.features.named.text() == "visual.npy"
    seat.change(lambda: qtbot.mouseClick(panel.refill_all, Qt.MouseButton.LeftButton))
    assert heard_by(seat.session) == ["visual.npy"]
    panel.features.chosen.emit(())
    seat.change(lambda: qtbot.mouseClick(panel.refill_all, Qt.MouseButton.LeftButton))
    assert heard_by(seat.session) == []
