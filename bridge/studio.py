"""The studio: the whole program without a window or a wire. The window, the local server and OSC drive this one object.

What takes long comes back as a `bridge.jobs.Job`; everything else is done when the call returns. Errors are those of
`engines.errors`. Whoever subscribes hears of everything that changed, whoever changed it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.beginning import First, begun, first_composed, place_of
from bridge.events import LOG, JobProgressed, Message, OpenSession
from bridge.film_desk import PICTURE, FilmDesk
from bridge.jobs import Job
from bridge.neighbours import Neighbours, Said
from bridge.opened import DEFAULT, Offer, OpenFilm
from bridge.patience import Alone
from bridge.playback import Playback
from bridge.sitting import Acted, Ready, Sitting, sounding_otherwise
from engines import files
from engines.commands import Choose, Conform, Refill, Score, Tell, UseMap
from engines.errors import OptionError, SessionError
from engines.picture.reel import Reel
from engines.scoring import Wishes
from engines.session.desk import Act, Desk, vacant
from engines.session.history import Step
from engines.session.keep import Keep
from engines.session.model import Limits, Session, Told
from engines.session.recut import previewed
from engines.session.refill import Wish
from engines.session.remap import Maps, spotted_again
from engines.session.working import new_cut, updated
from engines.watch import Watch

if TYPE_CHECKING:
    from bridge.daw import Address
    from bridge.doctor import Diagnosis
    from bridge.placing import Placement
    from bridge.player import Player
    from engines.session.delivery import Delivery

__all__ = ["DEFAULT", "OUTSIDE", "PICTURE", "Offer", "OpenFilm", "Studio"]

OUTSIDE = "outside"
"""The lane of what waits for other programs."""


class Studio(FilmDesk):
    """One composer's desk: at most one film and one session open, and the jobs on them. Every method may be called from any thread."""

    def __init__(self, player: Callable[..., Player] | None = None) -> None:
        """``player`` makes the player once something is to be heard; None takes `bridge.player.Player`."""
        super().__init__()
        self.offer: Offer | None = None
        self.maps: Maps | None = None
        self._sitting: Sitting | None = None
        self._shut = False
        self._opening = Alone("another session is being opened")
        self.playback = Playback(self.events, lambda: self._sitting.now.session if self._sitting else None, player)
        self.neighbours = Neighbours(self)
        self.jobs.listeners.subscribe(lambda reading: self.events.publish(JobProgressed(reading)))

    # the session

    @property
    def now(self) -> OpenSession:
        """The open session. Raises SessionError where none is."""
        return self._at_work().now

    @property
    def shown(self) -> Session:
        """The session at work, else what the open film begins with: a session with its first act. Raises SessionError, OptionError."""
        film = self.film
        return film.draft if self._sitting is None and film is not None else self.now.session

    @property
    def is_open(self) -> bool:
        """Whether a session is open."""
        return self._sitting is not None

    def open_session(self, path: Path) -> OpenSession:
        """Opens a session's file; the one that was open is saved and closed. Read-only where another program has it; opened again, that
        is tried anew."""
        with self._opening:
            sitting = self._sitting
            if sitting is not None and not sitting.now.read_only and sitting.now.path.resolve() == path.resolve():
                return sitting.now
            return self._sit(Desk.open(path), f"Open {path.name}")

    def new(self, path: Path | None = None, wishes: Wishes | None = None) -> OpenSession:
        """A session of the open film as it was spotted, nothing composed yet, saved to ``path`` (else
        ``FILM-score/cue.hitpoint`` beside the film). A session that lies there keeps its takes under another name."""
        film = self._film()
        where = place_of(film, path)
        with self._opening, begun(film, wishes or film.wishes, where) as desk:
            desk.save()
            return self._sit(desk, f"New session {where.name}", film.reel)

    def _sit(self, desk: Desk, sentence: str, reel: Reel | None = None) -> OpenSession:
        with self._lock:
            try:
                if self._shut:
                    raise SessionError("was not opened", where=desk.path, cure="the program ends; start it again")
                self.close_session()
            except BaseException:
                desk.close()
                raise
            self._sitting, self.offer, self.maps = Sitting(desk, self.events.publish, reel), None, None
            self._sitting.tell("opened", sentence, spared=desk.spared)
            return self._sitting.now

    def save(self, path: Path | None = None) -> Path:
        """Saves now (it is saved after every act anyway); a new ``path`` becomes the session's."""
        return self._at_work().save(path)

    def close_session(self, discard: bool = False) -> None:
        """Saves and closes the session; nothing where none is open. Where the disk refuses, raises OutputError and the session stays
        open, unless what is not saved may be lost (``discard``)."""
        with self._lock:
            if self._sitting is not None:
                self._sitting.close(discard)
                self._sitting = self.offer = self.maps = None

    def flush(self) -> None:
        """Waits until what was done is on the disk, or the disk has refused it."""
        self._at_work().flush()

    def _at_work(self) -> Sitting:
        sitting = self._sitting
        if sitting is None:
            raise SessionError("no session is open", cure="open one, or open a film and score it")
        return sitting

    def _same(self, sitting: Sitting) -> None:
        """Raises SessionError where another session was opened since a job was asked for."""
        if self._sitting is not sitting:
            raise SessionError("another session was opened meanwhile", where=sitting.now.path, cure="open it again")

    # acts

    def act(self, act: Act, merge: bool = False, path: Path | None = None) -> Acted:
        """Does an act of `engines.commands` at once and has it saved; ``merge`` makes it one step with the last (a slider). Without a
        session, it begins that of the open film, at ``path`` (None: beside the film, as `new` does)."""
        if self._sitting is None and self.film is not None:
            return self._begin(act, self.film, place_of(self.film, path))
        return self._at_work().act(act, merge=merge)

    def _begin(self, act: Act, film: OpenFilm, where: Path) -> Acted:
        with self._opening:
            if self._sitting is None:
                with begun(film, film.wishes, where) as desk:
                    before = desk.session
                    after = desk.do(act)
                    updated(desk)
                    self._sit(desk, f"New session {where.name}", film.reel)
                return _acted(act, before, after, desk)
        return self._at_work().act(act)  # another began it just now

    def compose(self, act: Act, lane: str = "engine", path: Path | None = None) -> Job[Acted]:
        """Does a long act beside the composer, who may go on meanwhile: it works on the session as it was when it began, and what it
        made is put onto the session as it is in the end (`bridge.rebase`). Cancelled or failed, it has changed nothing. Without a
        session, what it made begins that of the open film, as `act` does."""
        if self._sitting is None and self.film is not None:
            return self._compose_first(act, act.sentence, self.film.wishes, path, lane)
        sitting = self._at_work()
        asked = sitting.now.session
        return self.jobs.begin(act.sentence, lambda watch: sitting.compose(act, watch, asked), lane)

    def score(
        self,
        seed: int | None = None,
        provider: str | None = None,
        path: Path | None = None,
        wishes: Wishes | None = None,
        features: Sequence[Path] | None = None,
    ) -> Job[Acted]:
        """Composes every scene. Without a session, the open film is spotted where it was not, and gets a new one at ``path`` as ``wishes``
        say (None: as it was spotted), once it is composed. ``features`` hold from now on."""
        if self.is_open and path is None:
            return self.compose(Score(seed, provider, None if features is None else tuple(features)))
        film = self._film()
        said = wishes or film.wishes
        wishes = said if features is None else replace(said, features=tuple(features))
        act = Score(seed, provider or wishes.provider)
        return self._compose_first(act, f"Score {film.reel.path.name}", wishes, path)

    def _compose_first(self, act: Act, sentence: str, wishes: Wishes, path: Path | None, lane: str = "engine") -> Job[Acted]:
        film, asked = self._film(), self._sitting
        where = place_of(film, path)
        files.may_hold(where.parent)

        def work(watch: Watch) -> Acted:
            now = None if asked is not None else self._begun_with(film)
            if now is not None and wishes is film.wishes:
                return now.compose(act, watch, film.draft)
            if now is None and where.parent.is_dir():
                vacant(where)
            first = first_composed(film, wishes, act, watch)
            with self._opening:
                now = None if asked is not None else self._begun_with(film)
                if now is None:
                    return self._keep(first, asked, wishes, where, act, sentence)
            return now.compose(act, watch, first.before, first.after)  # an act began the session meanwhile

        return self.jobs.begin(sentence, work, lane)

    def _begun_with(self, film: OpenFilm) -> Sitting | None:
        """The session at work, if it began with this film since that was opened."""
        sitting = self._sitting
        return sitting if sitting is not None and sitting.reel is film.reel else None

    def _keep(self, first: First, asked: Sitting | None, wishes: Wishes, where: Path, act: Act, sentence: str) -> Acted:
        """Saves what was composed first, and opens it, unless the composer opened something else since: then it waits on the disk."""
        film = first.film
        with begun(film, wishes, where, first.before) as desk:
            desk.do(Ready(act.sentence, first.after))
            updated(desk)
            with self._lock:
                if self._sitting is asked and self.film is not None and self.film.reel is film.reel:
                    if self.film.spotted is None:
                        self._show(film)
                    self._sit(desk, sentence, film.reel)
                else:
                    desk.close()
                    self.events.publish(Message(f"{desk.path} is scored and not opened: something else was opened meanwhile"))
        return _acted(act, first.before, first.after, desk)

    def refill(
        self,
        scene: int,
        seed: int | None = None,
        bars: Sequence[tuple[int, int]] = (),
        stems: Sequence[str] = (),
        keep: Sequence[Keep] = (),
        engine: str | None = None,
        mode: str | None = None,
        provider: str | None = None,
        features: Sequence[Path] | None = None,
    ) -> Job[Acted]:
        """Composes a scene again, or some of its bars or stems, and nothing else; see `engines.session.refill.Wish`."""
        self.shown.span(scene)  # a scene that there is not is told at once
        heard = None if features is None else tuple(features)
        wish = Wish(scene, tuple(bars) or None, tuple(stems) or None, tuple(keep), seed, engine, mode, heard)
        return self.compose(Refill(wish, provider))

    def choose(self, scene: int, take: int | None) -> Acted:
        """Lets another take be heard; None silences the scene."""
        return self.act(Choose(scene, take))

    def tell(self, told: Told, scene: int | None = None, bar: int | None = None, forget: Sequence[str] = ()) -> Acted:
        """Says something of the cue, a scene or a bar; see `engines.commands.Tell`."""
        return self.act(Tell(told, scene, bar, tuple(forget)))

    def undo(self) -> Step:
        """Takes the last act back, every note of it."""
        return self._at_work().undo()

    def redo(self) -> Step:
        """Does again what was undone last, without composing anew."""
        return self._at_work().redo()

    # another tempo map: looked at first, then chosen

    def spot_again(self, limits: Limits | None = None) -> Job[Maps]:
        """Tempo maps for the session as its hits are now, around what is locked; nothing is changed. They stand as ``maps``. ``limits``
        None are the session's."""
        sitting = self._at_work()

        def work(watch: Watch) -> Maps:
            found = spotted_again(sitting.now.session, watch, limits)
            with self._lock:
                self._same(sitting)
                self.maps = found
            return found

        return self.jobs.begin("Spot the cue again", work, PICTURE)

    def use_map(self, index: int) -> Acted:
        """Puts the cue on one of ``maps``, by its place in `Maps.all` (from 0)."""
        maps = self.maps
        if maps is None:
            raise OptionError("the session was not spotted again", where="map", cure="spot it again first")
        if not 0 <= index < len(maps.all):
            raise OptionError(f"there is no tempo map {index}", where="map", cure=f"choose 0 to {len(maps.all) - 1}")
        return self.act(UseMap(maps.all[index], maps.limits))

    # conform: looked at first, then accepted

    def look_at_cut(self, cuts: Path | None, film: Path | None = None, rate: Fraction | None = None) -> Job[Offer]:
        """What a new cut would do to the session; nothing is changed. The offer stands until `conform` takes it or another is made."""
        sitting = self._at_work()
        name = (film or cuts or sitting.now.path).name

        def work(watch: Watch) -> Offer:
            session = sitting.now.session
            new = new_cut(session, cuts, film, rate, watch)
            with watch.stage("match"):
                offer = Offer(new, previewed(session, new), name)
            with self._lock:
                self._same(sitting)
                self.offer = offer
            self._say(watch)
            return offer

        return self.jobs.begin(f"Look at {name}", work, PICTURE)

    def conform(self, provider: str | None = None, refused: Collection[int] = ()) -> Job[Acted]:
        """Carries the session to the cut that was looked at last. For the changes that are ``refused`` (by number, from 1) nothing is
        composed, see `engines.commands.Conform`. What is done meanwhile is carried, too. Cancelled or failed, the offer stands."""
        offer = self.offer
        if offer is None:
            raise OptionError("no new cut was looked at", where="conform", cure="give its cut list or its film first")
        sitting = self._at_work()
        act, asked = Conform(offer.new, offer.name, provider, frozenset(refused)), sitting.now.session

        def work(watch: Watch) -> Acted:
            try:
                return sitting.compose(act, watch, asked)
            except BaseException:
                with self._lock:
                    if self._sitting is sitting:
                        self.offer = self.offer or offer  # it stands, unless another was looked at meanwhile
                raise

        self.offer = None
        return self.jobs.begin(act.sentence, work)

    # other programs

    def place(
        self,
        daw: str = "folder",
        scenes: Sequence[int] = (),
        at: Fraction = Fraction(0),
        where: Address | None = None,
        said: Said | None = None,
    ) -> Job[Placement]:
        """Puts the cue, or some of its scenes, into a DAW, the film's first frame ``at`` seconds of its project; the job's result is
        what the DAW confirmed. What is ``said`` of its project is kept once it did. Fails with DawError."""
        from bridge.errands import placing

        sentence, work = placing(self, daw, scenes, at, where, said)
        return self.jobs.begin(sentence, work, OUTSIDE)

    def deliver(self, folder: Path, stems: bool = False, takes: bool = False, scenes: Sequence[int] = ()) -> Job[Delivery]:
        """All of the cue in one folder, as it is when this begins; files of an earlier delivery there are replaced."""
        from engines.session.delivery import deliver

        session = self.now.session
        return self.jobs.begin(
            f"Deliver to {folder.name}",
            lambda watch: deliver(session, folder, stems=stems, takes=takes or bool(scenes), scenes=scenes, watch=watch),
            OUTSIDE,
        )

    def doctor(self, daws: Sequence[str] = (), listen_s: float = 1.0, where: Address | None = None) -> Job[Diagnosis]:
        """Looks at every link to the other programs, and listens to MIDI for some seconds."""
        from bridge.errands import examining

        path, status = self.now.path if self.is_open else None, self.playback.status
        return self.jobs.begin("Look at every link", examining(path, daws, listen_s, where, status), OUTSIDE)

    # the end

    def close(self, timeout: float = 30.0) -> tuple[str, ...]:
        """Cancels every job, saves and closes the session; gives the sentences of jobs that did not stop in so many seconds: whatever
        they do later lands nowhere. Raises OutputError where the session cannot be saved."""
        self.neighbours.close()
        with self._lock:
            self._shut = True
        self.jobs.shutdown(timeout)
        left = tuple(reading.sentence for reading in self.jobs.readings() if not reading.ended)
        for sentence in left:
            LOG.error("did not stop within %g s: %s", timeout, sentence)
        self.playback.close()
        self.close_session()
        return left


def _acted(act: Act, before: Session, after: Session, desk: Desk) -> Acted:
    """What a first act did; what lay in the place of its session is told of."""
    said = () if desk.spared is None else (f"the session that lay there is {desk.spared.name} now",)
    return Acted(act.sentence, before, after, sounding_otherwise(before, after), said)
