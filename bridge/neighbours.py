"""The programs next door: a DAW whose transport the player follows, or that goes where it is told, and a cut list that is watched."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from bridge.daw import Address
from bridge.daws import DAWS
from bridge.driving import Driver, Went
from bridge.editors import CUTS, HANDED
from bridge.editors.watched import EVERY_S, WatchedFile, awaited
from bridge.events import Event, Message, SessionChanged
from bridge.marking import Marked, marked_by
from bridge.places import Place
from bridge.project import Project, beside
from engines.errors import HitpointError, OptionError
from engines.watch import Watch

if TYPE_CHECKING:
    from bridge.jobs import Job
    from bridge.studio import Studio

LANE = "daw"
"""The lane of what a DAW's transport is told: it waits for nothing else."""

_PATIENCE_S = 600.0  # of a look at a new cut: it waits for the film to be read

Said = Callable[[Project], Project]
"""What somebody says of a DAW's project: it makes what is kept of it another."""


def known(daw: str | None) -> str | None:
    """A DAW's name, as a client says it. Raises OptionError for one that there is not."""
    if daw not in (None, *DAWS):
        raise OptionError(f"no DAW is named {daw!r}", where="daw", cure=f"choose one of: {', '.join(DAWS)}")
    return daw


class Neighbours:
    """What a studio keeps in touch with; both may be changed at any time, from any thread.

    A cut list that changed is looked at by the studio (`Studio.look_at_cut`), and its offer is told as a `Message`: `Studio.conform`
    accepts it. What goes wrong is told in the same way and ends nothing.
    """

    def __init__(self, studio: Studio, every_s: float = EVERY_S) -> None:
        self.studio, self._every_s = studio, every_s
        self._lock = RLock()
        self._watched: WatchedFile | None = None
        self._daw: str | None = None
        self._path: Path | None = None  # of the session, as it was told of last
        self.drives: str | None = None
        """The DAW that goes along with `along`."""
        self.driver = Driver(self._refused)
        self._leave = studio.events.subscribe(self._happened)

    @property
    def cuts(self) -> Path | None:
        """The cut list that is watched."""
        return None if self._watched is None else self._watched.path

    @property
    def daw(self) -> str | None:
        """The DAW whose transport is followed."""
        return self._daw

    def json(self) -> dict[str, Any]:
        """Both, and where the film lies in the DAW, as other programs read it."""
        told = {"cuts": None if self.cuts is None else str(self.cuts), "daw": self.daw}
        return told | {name: value for name, value in self.about.items() if name in ("at_s", "at")}

    @property
    def about(self) -> dict[str, Any]:
        """The DAW's project, as other programs read it; ``at`` is the place of the film in words."""
        project = self.project
        place = project.place(self.studio.now.session.start) if project.at is not None else None
        return project.json() | {"at": None if place is None else place.words}

    @property
    def project(self) -> Project:
        """The DAW's project that the open session belongs to; an empty one where no session is open."""
        return Project.of(self.studio.now.path) if self.studio.is_open else Project()

    def lie(
        self,
        daw: str | None = None,
        at: Place | Fraction | None = None,
        file: Path | None = None,
        beats: bool | None = None,
        midi: str | None = None,
    ) -> Project:
        """Says something of the project, which is kept beside the session and holds for what is followed, from now on."""
        known(daw)
        return self.keep(lambda project: project.but(daw, at, file, beats, midi))

    def keep(self, said: Said, path: Path | None = None) -> Project:
        """Keeps what was said of the project of a session, by default the open one, which may be another than when it was said."""
        mine = path or (self.studio.now.path if self.studio.is_open else None)
        kept = said(Project()) if mine is None else said(Project.of(mine)).keep(mine)
        if mine is None or (self.studio.is_open and self.studio.now.path == mine):
            self._settle(kept)
        return kept

    def address(
        self,
        daw: str,
        port: int | None = None,
        folder: Path | None = None,
        midi: str | None = None,
        project: Project | None = None,
    ) -> Address:
        """Where a DAW is found for the open session, in its ``project`` or one that is not kept yet."""
        if not self.studio.is_open:
            return Address(port=port, folder=folder, midi=midi)
        now = self.studio.now
        found = (project or self.project).address(now.session, now.path, daw, port, folder)
        return found if midi is None else replace(found, midi=midi)

    def named(self, daw: str | None, project: Project | None = None) -> str:
        """The DAW that is meant: by its name, else the one that is followed, else the session's. Raises OptionError where none is."""
        found = daw or self.daw or self.drives or (project or self.project).daw
        if found is None:
            raise OptionError("nobody has said which DAW", where="daw", cure="name it: ardour, reaper, live or generic")
        return found

    def go(
        self,
        daw: str | None = None,
        seconds: Fraction | None = None,
        rolling: bool | None = None,
        port: int | None = None,
        midi: str | None = None,
    ) -> Job[Went]:
        """Has a DAW go to ``seconds`` of the film, and play or stop; the job's result is what it says then."""
        name = self.named(daw)
        where, begins = self.address(name, port, midi=midi), self._begins(name)
        verb = "Locate" if rolling is None else "Play" if rolling else "Stop"
        act = f"{verb} in {name}"
        return self.studio.jobs.begin(act, lambda _: self.driver.go(name, where, begins, seconds, rolling), LANE)

    def markers(
        self,
        daw: str | None = None,
        mark: bool = False,
        only: Collection[int] = (),
        weight: float | None = None,
        port: int | None = None,
        folder: Path | None = None,
        said: Said | None = None,
        ends: bool = False,
    ) -> Job[Marked]:
        """The markers of a DAW's project on the film; where they are to be hits (``mark``), those inside the film on whose frame none
        lies yet (the ``ends`` of regions only where that is said), or of these the ones with the numbers ``only``, become that in one
        act. What is ``said`` of the project is kept once they were read."""
        now, project = self.studio.now, self.project if said is None else said(self.project)
        name = self.named(daw, project)
        where, begins = self.address(name, port, folder, project=project), project.zero

        def work(watch: Watch) -> Marked:
            found: Marked = self.driver.ask(name, where, lambda adapter: marked_by(adapter, now.session, begins))
            act = replace(found, session=self.studio.now.session).act(only, weight, ends) if mark else None
            if act is not None:
                self.studio.act(act)
            if said is not None:
                self.keep(said, now.path)
            return found

        return self.studio.jobs.begin(f"Markers of {name}", work, LANE)

    def along(self, seconds: Fraction, rolling: bool) -> None:
        """Has the DAW that `drives` names go along, in a thread; what goes wrong is told as a `Message`."""
        daw = self.drives
        if daw is not None:
            self.driver.soon(daw, self.address(daw), self._begins(daw), seconds, rolling)

    def _begins(self, daw: str) -> Fraction:
        return self.project.begins(self.studio.now.session, daw) if self.studio.is_open else Fraction(0)

    def watch(self, cuts: Path | None = None) -> Path:
        """Watches a cut list from now on, by default the one that the script in Blender or Resolve hands over. One that does not lie
        there yet is told as a `Message`. Raises OptionError where its folder does not exist."""
        path, missing = cuts or HANDED.expanduser() / CUTS, awaited(cuts)
        with self._lock:
            self.leave_cuts()
            self._watched = WatchedFile(path, self._changed, self._every_s).start()
        if missing is not None:
            self.studio.events.publish(Message(missing))
        return path

    def leave_cuts(self) -> None:
        """Watches no cut list any more."""
        with self._lock:
            watched, self._watched = self._watched, None
        if watched is not None:
            watched.close()

    def follow(self, daw: str, where: Address | None = None) -> None:
        """Has the player follow a DAW over its own OSC or web interface, or over MIDI (`generic`). Raises OptionError, PortError,
        DawError."""
        if known(daw) == "folder":
            cure = "choose the DAW itself: ardour, reaper, live or generic"
            raise OptionError("a folder has no transport to follow", where="daw", cure=cure)
        with self._lock:
            self.leave_daw()
            made = None if daw == "generic" else self.driver.hold(daw, where or self.address(daw))
            try:
                self.studio.playback.follow(midi=made is None)
                if made is not None:
                    made.follow(self.studio.playback.hear)
            except HitpointError:
                self.driver.drop(daw)
                raise
            self._daw = daw

    def leave_daw(self) -> None:
        """Follows no DAW over OSC any more; what comes over MIDI is followed all the same."""
        with self._lock:
            daw, self._daw = self._daw, None
        if daw is not None:
            self.driver.drop(daw)

    def close(self) -> None:
        """Leaves all; a second time does nothing."""
        self._leave()
        self.leave_cuts()
        self.leave_daw()
        self.driver.close()

    def _happened(self, event: Event) -> None:
        if isinstance(event, SessionChanged) and event.change in ("opened", "saved") and event.now is not None:
            before, self._path = self._path, event.now.path
            try:
                if event.change == "opened":
                    self._settle(Project.of(event.now.path))
                elif before not in (None, event.now.path) and not beside(event.now.path).exists():
                    Project.of(before).keep(event.now.path)  # saved elsewhere, it goes along
            except HitpointError as error:
                self._refused(error)

    def _settle(self, project: Project) -> None:
        self.studio.playback.lie(project.at, project.song_step)

    def _refused(self, error: HitpointError) -> None:
        self.studio.events.publish(Message(str(error), "error"))

    def _changed(self, path: Path) -> None:
        """In the watcher's thread: looks at the new cut, and offers it."""
        try:
            offer = self.studio.look_at_cut(path).result(_PATIENCE_S)
        except (HitpointError, TimeoutError) as error:
            self.studio.events.publish(Message(f"the new cut was not read: {error}", "error"))
            return
        told = offer.recut.text().splitlines()
        self.studio.events.publish(Message(f"the editor has a new cut ({path.name}): {told[-1]}; conform to accept it"))
