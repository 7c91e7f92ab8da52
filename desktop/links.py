"""Links: what is connected and how well, as the doctor says it; who leads, which ports, and ten seconds of the source that is looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from PyQt6.QtCore import QSize, Qt, QTimer
from PyQt6.QtWidgets import QComboBox, QGridLayout, QLabel, QListView, QPushButton, QVBoxLayout, QWidget

from bridge.checkup import checkup
from bridge.daw import Address
from bridge.doctor import Diagnosis, Finding
from bridge.playback import SENT, lead_of
from bridge.ports import names
from desktop import theme
from desktop.aside import Aside
from desktop.eliding import Elided, lean
from desktop.jitter import Jitter
from desktop.language import words
from desktop.links_daw import DawBox
from desktop.links_live import Live
from desktop.links_ports import Inlets, Outlets, Sends
from desktop.links_rows import Links as Rows
from desktop.links_rows import PaintedLink, told
from desktop.plainly import plainly
from desktop.seen import Seen
from engines.errors import HitpointError

if TYPE_CHECKING:
    from bridge.events import SessionChanged
    from bridge.player import Inlet, Outlet, Status
    from desktop.actions import Actions
    from desktop.document import Document
    from desktop.heard import Heard
    from desktop.preferences import Preferences
    from desktop.transport import Transport

tr = words("links")
ITSELF, BEST = "itself", "best"
SETTLE_MS = 200
"""After the last that happened to the session, before its links are looked at again."""


def fix_words(state: str) -> str:
    """How a source is followed, in a word."""
    said = {"locking": tr("locking"), "free-wheeling": tr("free-wheeling"), "stopped": tr("stopped"), "lost": tr("lost")}
    return said.get(state, tr("locked"))


@runtime_checkable
class Following(Protocol):
    """A window whose picture and music can follow a DAW."""

    heard: Heard
    actions_by_name: Actions
    preferences: Preferences


def looked_around(session: Path | None) -> Diagnosis:
    """Everything but the sources of transport, which are live: MIDI systems, JACK, DAWs, editors, our server, the engine's provider."""
    found = checkup(session, (), 0.0, Address(), heard=())
    return Diagnosis(tuple(finding for finding in found.findings if not finding.link.startswith("transport")))


class Links(QWidget):
    """The page. It looks only while it is seen."""

    def __init__(
        self,
        document: Document,
        transport: Transport,
        parent: QWidget | None = None,
        look: Callable[[Path | None], Diagnosis] = looked_around,
    ) -> None:
        super().__init__(parent)
        self._document, self._transport, self._look = document, transport, look
        self._aside = Aside(self)
        self.seen = Seen(self, self._turned)
        self.live = Live(document, parent=self)
        self.model = Rows(self)
        self._found: tuple[Finding, ...] = ()
        self._looked = False
        self._of: Path | None = None  # the session for which it looked
        self._sources: tuple[str, ...] = ()
        self._lay_out()
        self.live.looked.connect(self._show_live)
        self._aside.refused.connect(self._refused)
        self._settle = QTimer(self)  # one session goes before the next comes
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._session_changed)
        document.session_changed.connect(self._session_told)

    def _lay_out(self) -> None:
        self.setAccessibleName(tr("Links"))
        self.timecode = QLabel("--:--:--:--", self)
        self.timecode.setFont(theme.figures(15, bold=True))
        self.timecode.setAccessibleName(tr("Timecode of the DAW"))
        self.why = QLabel(self)
        self.why.setWordWrap(True)
        self.why.setProperty("quiet", True)
        self.why.setMinimumHeight(2 * self.fontMetrics().height())
        self.why.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.leads = QComboBox(self)
        self.leads.setToolTip(tr("Who leads: the window, or a DAW that the picture and the player follow"))
        self.leads.setAccessibleName(tr("Who leads"))
        self.leads.activated.connect(lambda _: self.follow(self.leads.currentData()))
        self.inlets, self.outlets, self.daw = Inlets(self), Outlets(self), DawBox(self._document, self)
        lean(self.leads, self.outlets)
        self.daw.driven.connect(self._drive)
        self.daw.refused.connect(self._refused)
        self.inlets.chosen.connect(self._listen)
        self.outlets.chosen.connect(self._route)
        self.sends = tuple(Sends(what, self._document.studio.playback, self) for what in SENT)
        for sends in self.sends:
            sends.chosen.connect(lambda port, what=sends.what: self._send(what, port))
        self.list = QListView(self)
        self.list.setModel(self.model)
        self.list.setItemDelegate(PaintedLink(self.list))
        self.list.setAccessibleName(tr("Links, the sources of timecode first"))
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.jitter = Jitter(self)
        self.plotted = Elided(self)
        self.plotted.setProperty("quiet", True)
        again = QPushButton(tr("Look again"), self)
        again.setToolTip(tr("Ask every port, DAW and engine how it is (F5)"))
        again.clicked.connect(self.look_around)
        self.said = Elided(self)
        self.said.setProperty("quiet", True)
        top = QGridLayout()
        top.setHorizontalSpacing(theme.GAP)
        top.setVerticalSpacing(theme.GAP)
        top.addWidget(self.timecode, 0, 0, 1, 2)
        top.addWidget(self.why, 1, 0, 1, 4)
        rows: tuple[tuple[str, QWidget], ...] = (
            (tr("Leads"), self.leads),
            (tr("Hears"), self.inlets),
            (tr("Plays to"), self.outlets),
            *zip((tr("Timecode to"), tr("Clock to")), self.sends, strict=True),
        )
        for row, (text, box) in enumerate(rows, 2):
            top.addWidget(QLabel(text, self), row, 0)
            top.addWidget(box, row, 1, 1, 3)
        top.addWidget(self.daw, 2 + len(rows), 0, 1, 4)
        top.setColumnStretch(1, 1)
        foot = QGridLayout()
        foot.addWidget(again, 0, 0)
        foot.addWidget(self.said, 0, 1)
        foot.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GAP, theme.GAP, theme.GAP, theme.GAP)
        column.setSpacing(theme.GAP)
        column.addLayout(top)
        column.addWidget(self.plotted)
        column.addWidget(self.jitter)
        column.addWidget(self.list, 1)
        column.addLayout(foot)
        self._show_leads(())

    def kept(self) -> tuple[tuple[Finding, ...], Path | None] | None:
        """What was found, and for which session; None before it looked."""
        return (self._found, self._of) if self._looked else None

    def resume(self, kept: tuple[tuple[Finding, ...], Path | None]) -> None:
        """Shows the same without asking every link again."""
        found, self._of = kept
        self._looked = True
        self._aside.ask("ports", names, self._show_ports)
        self._show_findings(found)

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        return QSize(420, 640)

    def _turned(self, seen: bool) -> None:
        """The page is seen from now on, or no longer."""
        self.live.watch(seen)
        if seen and not self._looked:
            self.look_around()

    # looking

    def _session_told(self, event: SessionChanged) -> None:
        self._settle.start()

    def _session_changed(self) -> None:
        """Another session: its DAW, its project and the folder for its files may be others."""
        path = None if self._document.now is None else self._document.now.path
        if path != self._of and self._looked:
            self._looked = False
            if self.seen.on:
                self.look_around()

    def look_around(self) -> None:
        """Asks every link how it is, beside the window."""
        self._looked = True
        self.said.setText(tr("looking…"))
        path = self._of = None if self._document.now is None else self._document.now.path
        self._aside.ask("look", lambda: self._look(path), self._show_found)
        self._aside.ask("ports", names, self._show_ports)

    def _show_found(self, found: Diagnosis) -> None:
        self._show_findings(found.findings)

    def _show_findings(self, found: tuple[Finding, ...]) -> None:
        self._found = found
        bad = sum(finding.state == "broken" for finding in found)
        odd = sum(finding.state == "odd" for finding in found)
        self.said.setText(
            tr("%n links do not work", n=bad)
            if bad
            else tr("%n links are to be looked at", n=odd)
            if odd
            else tr("everything that is there works")
        )
        self._show_rows()

    def _show_ports(self, found: dict[str, tuple[list[str], list[str]] | str]) -> None:
        ports = [ways for ways in found.values() if not isinstance(ways, str)]
        self.inlets.offer(sorted({name for ways in ports for name in ways[0]}))
        out = sorted({name for ways in ports for name in ways[1]})
        self.outlets.offer(out)
        for sends in self.sends:
            sends.offer(out)
        self.daw.offer(out)

    def _refused(self, error: HitpointError) -> None:
        self.said.setText(plainly(error))

    # what is heard now

    def _show_live(self, status: Status | None) -> None:
        reading = None if status is None else status.reading
        self.timecode.setText(str(reading.timecode) if reading is not None and reading.timecode is not None else "--:--:--:--")
        if status is None:
            self.why.setText(tr("Nothing is listened to yet: choose what to hear, or let a DAW lead."))
        elif status.word:
            self.why.setText(told(status.word))
        else:
            self.why.setText(told(reading.why) if reading is not None else "")
        names = tuple(sorted(standing.source for standing in self.live.standings))
        if names != self._sources:
            self._show_leads(names)
        self._show_leader()
        self._show_rows()
        self._plot()

    def _show_rows(self) -> None:
        faults = [] if self.live.status is None else [
            Finding(f"port {port.name}", "broken" if port.fault else "well", port.fault or port.kind)
            for port in (*self.live.status.inlets, *self.live.status.outlets, *(sent.socket for sent in self.live.status.senders))
        ]  # fmt: skip
        self.model.show((*self.live.findings(self.daw.project), *faults, *self._found))

    def _plot(self) -> None:
        row = self.list.currentIndex().row()
        standings = self.live.standings
        looked = standings[row] if 0 <= row < len(standings) else standings[0] if standings else None
        self.jitter.show_points(() if looked is None else self.live.points.get(looked.source, ()))
        self.jitter.setVisible(looked is not None)
        if looked is None:
            self.plotted.setText(tr("No timecode has been heard."))
            return
        fix = looked.fix
        figures = tr("offset {} ms, jitter {} ms").format(f"{fix.offset_ms:+.1f}", f"{fix.jitter_ms:.1f}")
        self.plotted.setText(
            f"{looked.source}: {figures}" if fix.state == "locked" else f"{looked.source}: {fix_words(fix.state)}"
        )

    def _show_leads(self, names: tuple[str, ...]) -> None:
        kept = self.leads.currentData()
        self._sources = names
        self.leads.clear()
        self.leads.addItem(tr("the window"), ITSELF)
        self.leads.addItem(tr("the best that is heard"), BEST)
        for name in names:
            self.leads.addItem(name, name)
        at = self.leads.findData(kept)
        self.leads.setCurrentIndex(max(0, at))

    # who leads, and the ports

    def follow(self, who: str) -> None:
        """Lets the window lead (`ITSELF`), the best source (`BEST`), or one by its name."""
        self.leads.setCurrentIndex(max(0, self.leads.findData(who)))
        playback, window = self._document.studio.playback, self.window()
        if who != ITSELF and playback.status is None:
            inlets = self.inlets.inlets
            self._document.hear(lambda: playback.open(inlets=inlets))
        if isinstance(window, Following):
            window.heard.follow(who != ITSELF)
            window.actions_by_name["follow"].setChecked(who != ITSELF)
        neighbours, daw = self._document.studio.neighbours, self.daw.over_osc
        if who == BEST and daw is not None:
            self._document.hear(lambda: neighbours.follow(daw))
        elif who == ITSELF:
            self._document.hear(neighbours.leave_daw)
        if who not in (ITSELF, BEST):
            self._document.hear(lambda: playback.follow(who))

    def _drive(self, daw: str | None) -> None:
        """Another DAW goes along with the window, or none."""
        window = self.window()
        if isinstance(window, Following):
            window.heard.driven.choose(daw)

    def _show_leader(self) -> None:
        """What a key or a menu chose meanwhile."""
        follows = self._transport.follows
        if follows != (self.leads.currentData() != ITSELF):
            self.leads.setCurrentIndex(self.leads.findData(BEST if follows else ITSELF))

    def _listen(self, inlets: tuple[Inlet, ...]) -> None:
        self._document.hear(lambda: self._document.studio.playback.open(inlets=inlets))

    def _send(self, what: str, port: str) -> None:
        playback, window = self._document.studio.playback, self.window()
        if isinstance(window, Following):
            window.preferences.set(f"send/{what}", port)

        def send() -> None:
            playback.lead(**{what: lead_of(port, what)})
            playback.open()

        self._document.hear(send)

    def _route(self, outlet: Outlet) -> None:
        from bridge.player import Route

        self._document.hear(lambda: self._document.studio.playback.open(routes=(Route(outlet),)))
