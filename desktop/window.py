"""The window: the picture over the timeline, docks around them, one line for messages and one for work; it wires, and decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from PyQt6.QtCore import QChildEvent, QEvent, Qt, QTimer
from PyQt6.QtGui import QCloseEvent, QKeyEvent, QShowEvent
from PyQt6.QtWidgets import QMainWindow, QMenu, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from bridge.events import OpenSession, SessionChanged
from bridge.studio import OpenFilm
from desktop.actions import Actions, items
from desktop.arrangement import Arrangement
from desktop.built_in import BuiltIn
from desktop.commands import Commands
from desktop.docks import set_out, sweep
from desktop.document import Document
from desktop.dragging import Catcher
from desktop.eliding import short
from desktop.heard import Heard
from desktop.jobs_line import JobsLine
from desktop.keys import is_own, tab_on
from desktop.language import act, is_another, words
from desktop.links_ports import sent_as_kept
from desktop.message import MessageBar
from desktop.plainly import plainly
from desktop.preferences import Preferences
from desktop.refusals import heard
from desktop.second_display import SecondDisplay
from desktop.sheet import Sheet
from desktop.sound import sound_of
from desktop.theme import GAP
from desktop.timeline import Timeline
from desktop.transport import Transport, even
from desktop.transport_bar import TransportBar
from desktop.viewer import Viewer
from desktop.welcome import Welcome
from engines.errors import HitpointError, OutputError, SessionError
from engines.picture.reel import Reel
from engines.session.model import Session

tr = words("window")


class Window(QMainWindow):
    """One document, one transport, and everything that looks at them."""

    def __init__(self, document: Document, preferences: Preferences | None = None) -> None:
        super().__init__()
        self.document = document
        self.preferences = preferences or Preferences()
        self._met: Reel | None = None
        self._offered = ""
        """The line that offered the session of the open film."""
        self.transport = Transport(parent=self)
        self.heard = Heard(document, self.transport, parent=self)
        self.sound = sound_of(self.transport)
        self._home: Path | None = None
        self.built_in = BuiltIn(document, self.heard, self.sound, self)
        self.setWindowTitle("Hitpoint")
        self.setDockNestingEnabled(True)
        self.actions_by_name = Actions(self)
        self.commands = Commands(self)
        for item in items():
            self.actions_by_name.add(item, self.commands.of(item))
        self.recent_menu = self._recent_menu()
        self._lay_out()
        self.docks = set_out(self, document, self.transport)
        for dock in self.docks.values():
            self.actions_by_name.add_dock(dock.action)
        self._wire()
        self._restore()
        self._laid_out = QTimer(self)
        self._laid_out.setSingleShot(True)
        self._laid_out.timeout.connect(lambda: sweep(self))
        self._renewing = QTimer(self)
        self._renewing.setSingleShot(True)
        self._renewing.timeout.connect(self._renew)
        self.show_state()

    def _recent_menu(self) -> QMenu:
        files = self.actions_by_name.menus["file"]
        menu = QMenu(tr("&Lately"), self)
        files.insertMenu(self.actions_by_name["save_as"], menu)
        menu.setToolTipsVisible(True)
        return menu

    def _lay_out(self) -> None:
        self.jobs = JobsLine(self)
        self.welcome, self.viewer = Welcome(self), Viewer(self.transport, self)
        self.transport_bar = TransportBar(self.transport, self.actions_by_name, self.built_in, self)
        self.timeline = Timeline(self.transport, self)
        self.second_display = SecondDisplay(self.viewer, self)
        self.picture = QStackedWidget(self)
        self.message = MessageBar(self.picture)  # over its upper edge: nothing moves when it comes and goes
        self.picture.addWidget(self.welcome)
        self.picture.addWidget(self.viewer)
        centre = QWidget(self)
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.picture, 1)
        column.addWidget(self.transport_bar)
        column.addWidget(self.timeline)
        self.setCentralWidget(centre)
        status = self.statusBar()
        assert status is not None
        status.setSizeGripEnabled(False)
        status.addPermanentWidget(self.jobs)
        status.setFixedHeight(max(status.sizeHint().height(), self.jobs.sizeHint().height() + GAP))  # work comes and goes
        self.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)

    def _wire(self) -> None:
        document, timeline, commands = self.document, self.timeline, self.commands
        document.session_changed.connect(self._session_changed)
        document.film_changed.connect(self._film_changed)
        document.reel_changed.connect(self._show_reel)
        document.drawn.connect(self._draw)
        document.job_changed.connect(self.jobs.show_job)
        document.scoring_changed.connect(self.show_state)
        document.said.connect(lambda text: self.message.say(lambda: heard(text)))
        document.refused.connect(self._refused)
        document.ailing.connect(self.message.refuse)
        document.homeless.connect(self._homeless)
        document.shown.connect(self._shown)
        document.film_missing.connect(self._film_missing)
        self.catcher = Catcher(self)
        self.catcher.dropped.connect(lambda known: commands.take(*(path for _, path in known)))
        self.transport.located.connect(self._located)
        self.second_display.changed.connect(self.actions_by_name["full_screen"].setChecked)
        self.second_display.lost.connect(self._display_lost)
        self.second_display.found.connect(self.message.look_again)
        self.viewer.failed.connect(self.message.refuse)
        self.jobs.cancelled.connect(document.cancel)
        timeline.hit_moved.connect(commands.move_hit)
        timeline.hit_weighed.connect(commands.weigh_hit)
        timeline.hit_wanted.connect(commands.add_hit)
        timeline.hit_selected.connect(lambda frame: self.show_state())
        timeline.shaped.connect(commands.shape)
        timeline.bars_freed.connect(commands.free_bars)
        self.welcome.open_wanted.connect(commands.opening.open)
        self.welcome.demo_wanted.connect(commands.opening.demo)
        self.welcome.recent_wanted.connect(lambda path: document.open(Path(path)))

    # what the document tells

    def _session_changed(self, event: SessionChanged) -> None:
        now = event.now
        if event.change == "opened" and now is not None:
            film = now.session.film
            if not self.document.is_of_film(now.session):
                self.transport.load(even(film.rate, film.frames))  # its picture may have to be looked for first
            if self.message.text == self._offered:
                self.message.hide()
        if event.change in ("opened", "saved") and now is not None:
            self.preferences.opened(now.path)
            if now.read_only:
                self._say_read_only(now)
            elif event.spared is not None:
                self._say_spared(event.spared)
        self.show_state()

    def _say_read_only(self, now: OpenSession) -> None:
        name, disk, path, document = now.path.name, bool(now.why), now.path, self.document
        self.message.say(
            lambda: (
                tr("{} lies where nothing can be written: here it is read-only")
                if disk
                else tr("{} is open in another program: here it is read-only")
            ).format(name),
            lambda: tr("Save a copy…"),
            self.commands.opening.save_as,
            lambda: document.now is not None and document.now.read_only and document.now.path == path,
        )

    def _say_spared(self, spared: Path) -> None:
        self.message.say(
            lambda: tr("The session that lay there is kept: it is {} now").format(spared.name),
            lambda: tr("Open it"),
            lambda: self.document.open(spared),
        )

    def _film_changed(self, film: OpenFilm | None) -> None:
        if film is not None and film.reel is not self._met:
            self.preferences.looked_at(film.reel.path)
            if (session := film.session) is not None:
                self.message.say(
                    lambda: tr("This film has a session: {}").format(f"{session.parent.name} / {session.name}"),
                    lambda: tr("Open it"),
                    lambda: self.document.open(session),
                )
                self._offered = self.message.text
        self._met = None if film is None else film.reel
        self.show_state()

    def _shown(self, session: Session | None) -> None:
        if self.document.now is None:
            self.show_state()

    def _refused(self, error: HitpointError) -> None:
        if self.document.read_only and isinstance(error, SessionError | OutputError):
            self.message.refuse(error, offer=lambda: tr("Save a copy…"), call=self.commands.opening.save_as)
        else:
            self.message.refuse(error)

    def _homeless(self, error: HitpointError, again: Callable[[], object]) -> None:
        """The film lies where no session can begin: the composer says where else, and what was asked for is done there."""
        self.message.refuse(error, offer=lambda: tr("Choose a folder…"), call=lambda: self.commands.opening.find_home(again))

    def _located(self, frame: int) -> None:
        """A hit that the person goes to is the one that is meant."""
        sheet = self.timeline.sheet
        if sheet is not None and any(mark.hit.frame == frame for mark in sheet.marks):
            self.timeline.select(frame)

    def _display_lost(self) -> None:
        self.message.say(
            lambda: tr("The second display was unplugged: the picture is here again, and goes back there with it."),
            holds=lambda: self.second_display.missed,
        )

    def _film_missing(self, error: HitpointError) -> None:
        self.show_state()
        where = "" if error.where is None else str(error.where)
        bare = HitpointError(error.what)  # its cure is the button
        self.message.say(
            lambda: f"{plainly(bare)}: {where}",
            lambda: tr("Find it…"),
            self.commands.opening.relink,
            holds=lambda: self.document.missing is error,
        )

    def _show_reel(self, reel: Reel | None) -> None:
        self.viewer.open(reel)
        self.second_display.look_again()
        self.timeline.open(reel)
        self.sound.open(reel)
        if reel is not None:
            self.transport.load(reel.timing)
        self.show_state()

    def _draw(self, sheet: Sheet | None) -> None:
        if sheet is None:
            self.transport.load(even(Fraction(24), 1))
        self.viewer.draw(sheet)
        self.second_display.draw(sheet)
        self.transport_bar.draw(sheet)
        self.timeline.draw(sheet)
        self.show_state()

    def show_state(self) -> None:
        """Brings title, menus, messages and the next thing to do in line with what is open."""
        if self._home != self.document.at_hand:
            self._home = self.document.at_hand
            self.preferences.left_open.keep(self._home)
            self.message.forget_errors()
        self.message.look_again()
        now, film = self.document.now, self.document.film
        history = None if now is None else now.history
        for name, steps in (("undo", history.done if history else ()), ("redo", history.undone if history else ())):
            action = self.actions_by_name[name]
            action.setEnabled(bool(steps) and now is not None and not now.read_only)
            word = tr("&Undo") if name == "undo" else tr("&Redo")
            done = act(steps[-1].sentence) if steps else ""
            action.setText(f"{word}: {short(done).replace('&', '&&')}" if done else word)
            action.setToolTip("\n".join(line for line in (done, action.statusTip()) if line))
        name = "" if now is None else f"{now.session.cue}, {now.path.stem}"
        if now is None and film is not None:
            name = film.reel.path.name
        self.setWindowTitle(f"{name} - Hitpoint" if name else "Hitpoint")
        opened = now is not None or film is not None
        self.welcome.show_recent([] if opened else self.preferences.recent)
        self.commands.opening.list_recent()
        self.picture.setCurrentWidget(self.viewer if opened else self.welcome)
        silent = now is not None and not now.read_only and all(scene.chosen is None for scene in now.session.scenes)
        self.transport_bar.score.setVisible(silent or (now is None and film is not None and film.spotted is not None))
        self.transport_bar.score.setEnabled(not self.document.scoring)
        self.commands.enable(self.actions_by_name)

    def event(self, event: QEvent | None) -> bool:
        if event is not None and is_own(event):
            event.accept()
            return True
        return super().event(event)

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: N802  Qt's names
        return tab_on(self, next)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  Qt's name
        if event is not None and event.key() == Qt.Key.Key_Escape:
            self.message.dismiss()
        super().keyPressEvent(event)

    # how it lies on the screen, and its end

    def _restore(self) -> None:
        self.arrangement = Arrangement(self, self.docks, self.preferences)
        self.arrangement.take_up()
        for name, part in (("streamers", "streamers"), ("burn_in", "burn_in")):
            on = self.preferences.flag(f"view/{name}", True)
            setattr(self.viewer, part, on)
            self.actions_by_name[name].setChecked(on)
        self.commands.hearing.restore()
        sent_as_kept(self.document.studio.playback, self.preferences)

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802  Qt's name
        self.arrangement.keep()
        self.second_display.leave()
        self.transport.stop()
        self.hide()  # at once; what is left to write may take a moment
        try:
            self.document.close()
        except OutputError as error:
            self.show()
            self.message.refuse(error)
            if event is not None:
                event.ignore()
            return
        self.viewer.close_film(wait=True)
        self.sound.close()
        self.timeline.close_film(wait=True)
        self.preferences.ended()
        super().closeEvent(event)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  Qt's name
        super().showEvent(event)
        self._laid_out.start(0)

    def childEvent(self, event: QChildEvent | None) -> None:  # noqa: N802  Qt's name
        if event is not None and event.polished() and isinstance(bar := event.child(), QTabBar):
            bar.setAccessibleName(tr("Docks"))  # Qt makes one for every pile of docks
        super().childEvent(event)

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  Qt's name
        if is_another(event):
            self.speak()
        super().changeEvent(event)

    def speak(self) -> None:
        """Speaks the language that was chosen: menus and bars at once, panels one after the other, so that nobody waits."""
        self.actions_by_name.speak()
        self.recent_menu.setTitle(tr("&Lately"))
        for bar in self.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            bar.setAccessibleName(tr("Docks"))
        self.show_state()
        self._renewing.start(0)

    def _renew(self) -> None:
        stale = next((dock for dock in self.docks.values() if dock.stale), None)
        if stale is not None:
            stale.renew()
            self._renewing.start(0)

    def refuse(self, error: HitpointError) -> None:
        """Shows a fault that nobody caught."""
        self.message.refuse(error)
