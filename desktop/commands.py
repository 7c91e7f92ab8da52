"""What each row of the menus does: small calls to the transport, the timeline and the document, by the name of the row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication, QInputDialog, QMessageBox

from desktop import theme
from desktop.actions import Actions, Item
from desktop.compose_wish import wishes_of
from desktop.handing import Handing
from desktop.hearing import ROWS, Hearing
from desktop.keys_page import KeysPage
from desktop.language import LANGUAGES, current, speak, words
from desktop.opening import Opening
from desktop.palette import Palette
from engines import __version__
from engines.commands import AddHit, DropHit, FollowHits, Join, Lock, MoveHit, Split, TellAll, WeighHit
from engines.errors import OptionError
from engines.picture.timecode import Timecode, nominal
from engines.session.model import Told

if TYPE_CHECKING:
    from desktop.sheet import HitMark, SceneMark, Sheet
    from desktop.window import Window

tr = words("commands")
HEAVIER = 0.1
"""A step of a hit's weight."""
ALWAYS = {
    *("open", "demo", "quit", "palette", "light", "tongue", "keys", "about", "streamers", "burn_in", "arrange"),
    *("listen", "look_around", *ROWS),
}
"""What can be done before anything is open."""
WITH_SCENES = {
    *("save", "save_as", "click_out", "brief_out", "brief_in", "cue_sheet", "lock_bar", "respot", "refill", "refill_all"),
    *("hit_add", "hit_drop", "hit_heavier", "hit_lighter", "hit_hard", "hit_name", "split", "join", "take_keep", "take_name"),
}
"""What needs a session, or a film that was spotted: it begins one."""
WITH_SESSION = {
    *("new_cut", "accept_cut", "deliver", "place", "preview", "cue_copy", "take_on", "take_back", "take_swap"),
}
"""What needs a session."""
READS = {
    *("save", "save_as", "click_out", "brief_out", "cue_sheet", "new_cut", "deliver", "place", "preview", "cue_copy"),
}
"""What of these leaves the session as it is, or answers for itself where it may not be written."""

SCORES = {"score", "refill_all"}
"""What composes all of it, once at a time."""


class Commands:
    """One window's; `of` gives the call of a row."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.opening, self.handing, self.hearing = Opening(window), Handing(window), Hearing(window)

    def of(self, item: Item) -> Callable[[], object]:
        """What a row calls: the method of its name, here or of a dock's panel, or one of a few that say the rest in one expression."""
        if item.dock:
            return lambda: self._of_dock(item)
        name = item.name
        transport = self.window.transport
        simple: dict[str, Callable[[], object]] = {
            "quit": self.window.close,
            "undo": self.window.document.undo,
            "redo": self.window.document.redo,
            "play": transport.toggle,
            "stop": transport.stop,
            "shuttle_back": lambda: transport.shuttle(-1),
            "shuttle_on": lambda: transport.shuttle(1),
            "frame_back": lambda: transport.step(-1),
            "frame_on": lambda: transport.step(1),
            "second_back": lambda: transport.step(-nominal(transport.timing.rate)),
            "second_on": lambda: transport.step(nominal(transport.timing.rate)),
            "cut_back": lambda: self._to(None if (s := self._sheet) is None else s.cut_frames, -1),
            "cut_on": lambda: self._to(None if (s := self._sheet) is None else s.cut_frames, 1),
            "hit_back": lambda: self._to_hit(-1),
            "hit_on": lambda: self._to_hit(1),
            "to_start": lambda: transport.locate(0),
            "to_end": lambda: transport.locate(transport.timing.frames - 1),
            "hit_add": lambda: self.add_hit(transport.frame),
            "hit_heavier": lambda: self._weigh(HEAVIER),
            "hit_lighter": lambda: self._weigh(-HEAVIER),
            "zoom_in": lambda: self.window.timeline.zoom(1.5),
            "zoom_out": lambda: self.window.timeline.zoom(1 / 1.5),
            "zoom_fit": lambda: self.window.timeline.fit(),
            "score": wishes_of(self.window.document).refill_all,
            "refill_all": wishes_of(self.window.document).refill_all,
            "arrange": lambda: self.window.arrangement.reset(),
            "cancel": lambda: self.window.jobs.cancel(),
        }
        homes = (self, self.opening, self.handing, self.hearing)
        home: object = next(home for home in homes if name in simple or hasattr(home, name))
        found: Callable[[], object] = simple[name] if name in simple else getattr(home, name)
        return found

    def _of_dock(self, item: Item) -> None:
        dock = self.window.docks[item.dock]
        panel = dock.bring_up() if item.raises else dock.build()
        getattr(panel, item.name)()

    def take(self, *paths: Path) -> None:
        """Opens whatever the files are."""
        self.opening.take_all(paths)

    def enable(self, actions: Actions) -> None:
        """Greys out what cannot be done now, and says why."""
        for action in actions.all():
            name = action.objectName()
            if name not in ("undo", "redo"):
                actions.allow(name, self._why_not(name))

    def _why_not(self, name: str) -> str:
        document = self.window.document
        if name in ALWAYS:
            return ""
        if document.now is None and document.film is None:
            return tr("Open a film or a session first")
        if name == "relink" and document.missing is None:
            return tr("The film is where it should be")
        if name in SCORES and document.scoring:
            return tr("It is being scored already")
        if name in WITH_SESSION and document.now is None:
            return tr("There is no session yet: mark a hit, or score the film")
        if name in WITH_SCENES and document.session is None:
            return tr("The film has no tempo map yet")
        if document.read_only and name not in READS and name in WITH_SESSION | WITH_SCENES | {"score", "relink"}:
            return tr("The session is read-only here: save a copy to go on (Ctrl+Shift+S)")
        return ""

    @property
    def _sheet(self) -> Sheet | None:
        return self.window.timeline.sheet

    # going about

    def go_to(self) -> None:
        """Asks for a timecode or a frame."""
        sheet = self._sheet
        if sheet is None:
            return
        here = str(sheet.start + self.window.transport.frame)
        text, given = QInputDialog.getText(self.window, tr("Go to"), tr("Timecode or frame"), text=here)
        if given and text.strip():
            try:
                self.window.transport.locate(place(text, sheet))
            except OptionError as error:
                self.window.message.refuse(error)

    def _to(self, frames: NDArray[Any] | None, way: int) -> int | None:
        """Goes to the next or the last of some frames."""
        if frames is None or not len(frames):
            return None
        here = self.window.transport.frame
        k = int(np.searchsorted(frames, here, side="right" if way > 0 else "left")) - (way < 0)
        if not 0 <= k < len(frames):
            return None
        self.window.transport.locate(int(frames[k]))
        return int(frames[k])

    def _to_hit(self, way: int) -> None:
        sheet = self._sheet
        if sheet is not None:
            frame = self._to(np.array([mark.hit.frame for mark in sheet.marks], np.int64), way)
            if frame is not None:
                self.window.timeline.select(frame)

    # hits

    def add_hit(self, frame: int) -> None:
        """A new hit on a frame."""
        self.window.document.act(AddHit(frame))
        self.window.timeline.select(frame)

    def move_hit(self, frame: int, to: int) -> None:
        """A hit goes to another frame."""
        self.window.document.act(MoveHit(frame, to))
        self.window.timeline.select(to)

    def weigh_hit(self, frame: int, weight: float) -> None:
        """A hit gets another weight."""
        self.window.document.act(WeighHit(frame, weight=weight))

    def hit_drop(self) -> None:
        """The selected hit goes."""
        mark = self._selected()
        if mark is not None:
            self.window.document.act(DropHit(mark.hit.frame))

    def hit_hard(self) -> None:
        """The selected hit, or the one under the playhead, changes between hard and soft."""
        mark = self._selected()
        if mark is not None:
            self.window.document.act(WeighHit(mark.hit.frame, hard=not mark.hit.hard))

    def respot(self) -> None:
        """The tempo of the scene under the playhead is solved again."""
        scene = self.scene()
        if scene is not None:
            self.window.document.compose(FollowHits(scene.number))

    def _weigh(self, by: float) -> None:
        mark = self._selected()
        if mark is not None:
            self.weigh_hit(mark.hit.frame, round(min(1.0, max(0.0, mark.hit.weight + by)), 2))

    def _selected(self) -> HitMark | None:
        """The selected hit, else the one under the playhead; says so where there is neither."""
        sheet, frame = self._sheet, self.window.timeline.hits.selected
        if sheet is None:
            return None
        frame = self.window.transport.frame if frame is None else frame
        mark = next((mark for mark in sheet.marks if mark.hit.frame == frame), None)
        if mark is None:
            self.window.message.say(tr("Select a hit first: click it, or go to one with , and ."))
        return mark

    # music

    def scene(self) -> SceneMark | None:
        """The scene under the playhead."""
        sheet = self._sheet
        return None if sheet is None else sheet.scene_at(float(self.window.transport.seconds))

    def refill(self) -> None:
        """The scene under the playhead is composed again."""
        scene = self.scene()
        if scene is not None:
            wishes_of(self.window.document).refill(scene.number)

    def split(self) -> None:
        """A scene begins at the bar under the playhead."""
        sheet = self._sheet
        if sheet is not None and len(sheet.bars):
            self.window.document.act(Split(sheet.bar_at(float(self.window.transport.seconds)) + 1))

    def join(self) -> None:
        """The scene under the playhead and the next become one."""
        scene = self.scene()
        if scene is not None:
            self.window.document.act(Join(scene.number))

    def shape(self, drawn: Mapping[int, float | None]) -> None:
        """The composer's curve: how strong some bars (from 0) shall be, None for as the picture asks."""
        session = self.window.document.session
        if session is None or not drawn:
            return
        told = dict(session.told)
        for bar, energy in drawn.items():
            span = session.span_of_bar(bar + 1)
            scope = f"{span.scene.id}/{bar + 1 - span.first}"
            told[scope] = replace(told.get(scope, Told()), energy=energy)
        first, last = min(drawn) + 1, max(drawn) + 1
        where = f"bar {first}" if first == last else f"bars {first} to {last}"
        self.window.document.act(TellAll(told, f"Shape the intensity of {where}"))

    def free_bars(self, first: int, last: int) -> None:
        """Bars of the cue, from 1, are locked no longer."""
        self.window.document.act(Lock((first, last), False))

    # the window itself

    def palette(self) -> None:
        """Everything by its name."""
        found = Palette(self.window.actions_by_name.every(), self.window)
        found.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        centre = self.window.geometry().center()
        found.move(centre.x() - found.width() // 2, self.window.geometry().top() + 80)
        found.show()

    def streamers(self) -> None:
        """Streamers and punches on or off."""
        self._switch("streamers")

    def burn_in(self) -> None:
        """Timecode in the picture or not."""
        self._switch("burn_in")

    def follow(self) -> None:
        """The DAW leads, or the window."""
        self.window.heard.follow(self.window.actions_by_name["follow"].isChecked())

    def _switch(self, name: str) -> None:
        on = self.window.actions_by_name[name].isChecked()
        self.window.preferences.set(f"view/{name}", on)
        for viewer in (self.window.viewer, self.window.second_display.view):
            if viewer is not None:
                setattr(viewer, name, on)
                viewer.update()

    def full_screen(self) -> None:
        """The picture alone on a display, or back."""
        alone = self.window.second_display
        if alone.view is None:
            alone.show()
        else:
            alone.leave()

    def light(self) -> None:
        """Light or dark, whatever the system says."""
        choice: theme.Choice = "light" if theme.current().name == "dark" else "dark"
        self.window.preferences.set("theme", choice)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            theme.wear(application, choice)

    def tongue(self) -> None:
        """The other language, at once and from now on."""
        codes = list(LANGUAGES)
        other = codes[(codes.index(current()) + 1) % len(codes)]
        self.window.preferences.set("language", other)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            speak(application, other)

    def keys(self) -> None:
        """Every key on one page."""
        KeysPage(self.window.actions_by_name, self.window).open()

    def about(self) -> None:
        """Version, licence, and where the log lies."""
        log = str(self.window.preferences.log)
        text = tr("Hitpoint {}. Free software under the MIT licence.\nLog: {}").format(__version__, log)
        QMessageBox(QMessageBox.Icon.NoIcon, tr("About Hitpoint"), text, QMessageBox.StandardButton.Close, self.window).open()


def place(text: str, sheet: Sheet) -> int:
    """The frame of the film that a person means: a timecode of the reel, or a number. Raises OptionError outside the film."""
    text = text.strip()
    try:
        frame = int(text)
    except ValueError:
        frame = Timecode.parse(text, sheet.rate, sheet.start.drop).frame - sheet.start.frame
    if not 0 <= frame < sheet.frames:
        last = sheet.start + (sheet.frames - 1)
        raise OptionError(f"{text} lies outside the film", where="go to", cure=f"it lasts from {sheet.start} to {last}")
    return frame
