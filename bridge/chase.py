"""Chase: follow the DAW. Whatever it sends, one place and one speed at any moment, and a word on which source leads and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from threading import Lock

from bridge.clock import SECOND
from bridge.follower import FREE_WHEEL_S, Beats, Fix, Follower, State
from bridge.pace import Pace, Paces, apart, real_rate
from bridge.transport import Kind, Report
from engines.picture.timecode import Timecode, nominal

PRECISION: dict[Kind, tuple[int, str]] = {
    "jack": (4, "JACK tells every sample"),
    "mtc": (3, "timecode tells every quarter of a frame"),
    "clock": (2, "the clock tells beats and no frames"),
    "link": (1, "Link tells beats and not which bar they are in"),
    "osc": (1, "OSC tells the place a few times a second"),
    "mmc": (0, "machine control tells starts and stops only"),
}
"""How finely each protocol tells the place, the finest highest, and in words."""

COUNTED: tuple[Kind, ...] = ("osc", "jack")
"""The protocols that count seconds from the zero of the DAW's project, whatever timecode that has."""

_TRUSTED = {"locked": 4, "free-wheeling": 3, "stopped": 2, "locking": 1, "lost": 0}
_PATIENCE_NS = SECOND // 2  # a source must be the better one for so long before it takes the lead
_APART_S = 0.1  # a source that free-wheels that far from a locked one is wrong


@dataclass(frozen=True)
class Reading:
    """Where the DAW is at one moment.

    ``seconds`` counts from the timecode's 00:00:00:00 (None before any place was told), ``timecode`` is the same as a label at the
    source's rate or else the picture's, ``frame`` the frame of the film. ``speed`` is 1 for normal. ``offset_ms`` and ``jitter_ms``
    as in `Fix`. ``why`` says who leads and why, as a sentence; ``because`` is the reason alone, which stays while the leader does.
    """

    state: State
    seconds: Fraction | None
    timecode: Timecode | None
    frame: int | None
    speed: float
    offset_ms: float
    jitter_ms: float
    leader: str | None
    why: str
    because: str = ""


@dataclass(frozen=True)
class Standing:
    """One source among the others: what following it alone gives, how far it is from the leader, what is odd about it, and ``why`` it
    leads or does not. ``pace`` is how fast its labels pass, None before that was measured."""

    source: str
    kind: Kind
    leads: bool
    fix: Fix
    rate: Fraction | None
    drop: bool
    bpm: float | None
    away_ms: float | None
    remark: str
    why: str = ""
    pace: Pace | None = None

    @property
    def real(self) -> Fraction | None:
        """Frames a second at which its labels pass, which may be a thousandth off its ``rate``; None where that is not measured."""
        return real_rate(self.rate, self.pace)

    @property
    def undecided(self) -> bool:
        """Whether it is timecode that rolls and may yet turn out to run a thousandth off the rate that it names."""
        rolls = self.fix.state in ("locked", "locking")
        return self.kind == "mtc" and rolls and self.pace is None and self.rate is not None and nominal(self.rate) % 6 == 0


class Chase:
    """Follows every source that reports are handed in from, and reads out the best of them.

    ``picture`` is the film's rate and ``start`` the timecode seconds of its first frame. ``beats`` gives the timecode seconds of a
    beat; without it a source that tells beats is followed and cannot lead. ``zero`` are the timecode seconds at which a source that
    knows no timecode (`COUNTED`) has its own zero; ``origins`` are seconds to add to what one source says, by its name. Reports and
    questions may come from different threads.
    """

    def __init__(
        self,
        picture: Fraction | None = None,
        start: Fraction = Fraction(0),
        beats: Beats | None = None,
        origins: Mapping[str, Fraction] | None = None,
        free_wheel_s: float = FREE_WHEEL_S,
        zero: Fraction = Fraction(0),
    ) -> None:
        self.picture, self.start, self.beats = picture, start, beats
        self.origins, self.free_wheel_s, self.zero = dict(origins or {}), free_wheel_s, zero
        self._followers: dict[str, Follower] = {}
        self._since: dict[str, tuple[State, int]] = {}  # the state of each, and since when
        self._paces = Paces()
        self._leader: str | None = None
        self._chosen: str | None = None
        self._because = ""
        self._guard = Lock()

    def hear(self, report: Report) -> None:
        """Takes what a source said."""
        with self._guard:
            follower = self._followers.get(report.source)
            if follower is None:
                origin = self.origins.get(report.source, self.zero if report.kind in COUNTED else Fraction(0))
                follower = self._followers[report.source] = Follower(report, self.beats, self.free_wheel_s, origin)
            else:
                follower.hear(report)
            self._elect(report.received_ns)

    def follow(self, source: str | None) -> None:
        """Lets the composer choose who leads; None leaves it to the chase again."""
        with self._guard:
            self._chosen = source

    @property
    def heard(self) -> tuple[Report, ...]:
        """The last word of every source: with these, another chase knows at once where those are that stand."""
        with self._guard:
            return tuple(sorted((f.last for f in self._followers.values()), key=lambda report: report.received_ns))

    def at(self, now_ns: int) -> Reading:
        """Where the DAW is at a moment that is not before the last report."""
        with self._guard:
            fixes = self._elect(now_ns)
            if self._leader is None:
                why = "no source tells the place in the picture yet" if fixes else "nothing has been heard from any DAW yet"
                return Reading("lost", None, None, None, 0.0, 0.0, 0.0, None, why, why)
            fix, follower = fixes[self._leader], self._followers[self._leader]
            rate = follower.rate or self.picture
            # a frame begins when its label does: a place a hair before it, from a measured line, is meant to be on it
            hair = Fraction(1, 1000) if fix.state != "stopped" else Fraction(0)
            frame = timecode = None
            if fix.seconds is not None and rate is not None:
                timecode = Timecode(floor(fix.seconds * rate + hair), rate, follower.drop).wrapped
            if fix.seconds is not None and self.picture is not None:
                frame = floor((fix.seconds - self.start) * self.picture + hair)
            why = self._sentence(self._leader, fix, timecode)
            return Reading(
                fix.state, fix.seconds, timecode, frame, fix.speed, fix.offset_ms, fix.jitter_ms, self._leader, why, self._because
            )  # fmt: skip

    def standings(self, now_ns: int) -> tuple[Standing, ...]:
        """Every source that was ever heard, the leader first."""
        with self._guard:
            fixes = self._elect(now_ns)
            lead = fixes[self._leader].seconds if self._leader else None
            rows = []
            for name, fix in fixes.items():
                follower = self._followers[name]
                apart = None
                if lead is not None and fix.seconds is not None and self._tells_picture(name):
                    apart = 1000 * float(fix.seconds - lead)
                kind = follower.last.kind
                rows.append(
                    Standing(
                        name, kind, name == self._leader, fix, follower.rate, follower.drop, follower.bpm, apart,
                        self._remark(name, fix), self._because if name == self._leader else self._behind(name, fix),
                        self._paces.of(name),
                    )
                )  # fmt: skip
        return tuple(sorted(rows, key=lambda row: (not row.leads, -PRECISION[row.kind][0], row.source)))

    def _tells_picture(self, name: str) -> bool:
        """Whether the places of a source lie on the film's axis."""
        return self._followers[name].last.beats is None or self.beats is not None

    def _elect(self, now_ns: int) -> dict[str, Fix]:
        fixes = {name: follower.at(now_ns) for name, follower in self._followers.items()}
        for name, fix in fixes.items():
            if name not in self._since or self._since[name][0] != fix.state:
                self._since[name] = (fix.state, now_ns)
            self._paces.see(name, fix, now_ns)
        able = [name for name in fixes if self._tells_picture(name) and fixes[name].seconds is not None]
        if self._chosen in able:
            self._lead(self._chosen, "you chose it")
        elif self._leader is None or self._leader not in able or fixes[self._leader].state == "lost":
            self._replace(able, fixes)
        else:
            self._challenge(able, fixes, now_ns)
        return fixes

    def _replace(self, able: list[str], fixes: dict[str, Fix]) -> None:
        """Nobody leads, or the leader is lost: the best of those that are not."""
        old = self._leader
        last = 0 if old is None else self._followers[old].last.received_ns
        # machine control never notices that the DAW died: it tells something only if it spoke since
        living = [
            name
            for name in able
            if fixes[name].state != "lost"
            and (self._followers[name].last.steady or self._followers[name].last.received_ns >= last)
        ]
        if not living:
            return
        best = max(living, key=lambda name: (_TRUSTED[fixes[name].state], self._precision(name)))
        self._lead(best, f"{old} fell silent" if old is not None and old != best else "it was the first to tell a place")

    def _challenge(self, able: list[str], fixes: dict[str, Fix], now_ns: int) -> None:
        for name in sorted(able, key=self._precision, reverse=True):
            assert self._leader is not None
            if name != self._leader:
                reason = self._yields(self._leader, name, fixes, now_ns)
                if reason:
                    self._lead(name, reason)

    def _yields(self, leader: str, other: str, fixes: dict[str, Fix], now_ns: int) -> str:
        """Why the leader gives way to another source, in words; empty if it does not."""
        mine, its = fixes[leader], fixes[other]
        newer = self._followers[other].last.received_ns - self._followers[leader].last.received_ns
        patient = {name: now_ns - self._since[name][1] >= _PATIENCE_NS for name in (leader, other)}
        proven = its.state == "locked" and patient[other]
        finer = self._precision(other) > self._precision(leader)
        speaks = self._followers[leader].last.steady
        if its.state in ("locked", "locking") and not speaks and self._followers[other].last.steady:
            return f"it is heard all the time and {leader} only when something happens"
        if mine.state == "stopped":
            rolls = its.state == "locked" and newer > _PATIENCE_NS
            stands = its.state == "stopped" and newer > _PATIENCE_NS and self._followers[other].last.seconds is not None
            return f"it rolls and {leader} stands" if rolls else f"it told the place last while {leader} stood" if stands else ""
        if mine.state == "free-wheeling" and speaks:
            if its.state == "stopped" and newer > 0:
                return f"it says that the DAW stopped and {leader} fell silent"
            if its.state == "locked" and mine.seconds is not None and its.seconds is not None:
                apart = abs(its.seconds - mine.seconds)
                return f"{leader} fell silent and the DAW is elsewhere by now" if apart > _APART_S else ""
        if proven and finer:
            return f"{PRECISION[self._followers[other].last.kind][1]} and it is steady"
        return f"{leader} does not lock" if proven and mine.state == "locking" and patient[leader] else ""

    def _behind(self, name: str, fix: Fix) -> str:
        """Why a source does not lead."""
        if fix.state == "lost":
            return "it fell silent"
        if not self._tells_picture(name) or fix.seconds is None:
            return "it does not tell the place in the picture"
        if self._leader is None:
            return "it has told no place yet"
        if self._chosen == self._leader:
            return f"you chose {self._leader}"
        mine, its = self._precision(name), self._precision(self._leader)
        finer = PRECISION[self._followers[self._leader].last.kind][1]
        if fix.state == "locking":
            return "it does not lock yet"
        return f"{finer}" if mine < its else f"{self._leader} came first and holds"

    def _lead(self, name: str, because: str) -> None:
        if name != self._leader or (because.startswith("you") and because != self._because):
            self._leader, self._because = name, because

    def _precision(self, name: str) -> int:
        return PRECISION[self._followers[name].last.kind][0]

    def _sentence(self, name: str, fix: Fix, timecode: Timecode | None) -> str:
        place = f" at {timecode}" if timecode is not None else ""
        if fix.state == "lost":
            others = " and nothing else tells the place" if len(self._followers) > 1 else ""
            return f"{name} fell silent {fix.silent_s:.1f} s ago{place}{others}: is the DAW still there?"
        named = self._followers[name].rate
        rate = real_rate(named, self._paces.of(name)) or named
        fps = f" at {float(rate):.5g} fps" if rate is not None else ""
        doing = {
            "locked": f"locked{fps}, jitter {fix.jitter_ms:.1f} ms",
            "locking": "locking",
            "free-wheeling": f"going on by itself, silent for {fix.silent_s:.1f} s",
            "stopped": f"standing{place}",
        }[fix.state]
        return f"{name} leads ({doing}): {self._because}"

    def _remark(self, name: str, fix: Fix) -> str:
        """What a composer should know about one source."""
        follower = self._followers[name]
        if fix.state == "lost":
            return f"nothing came for {fix.silent_s:.1f} s"
        if not self._tells_picture(name):
            return "it counts beats: a cue with its tempo map places them in the picture"
        rate, real = follower.rate, real_rate(follower.rate, self._paces.of(name))
        if rate is not None and real is not None and real < rate:
            return f"it says {float(rate):.5g} fps and runs at {float(real):.5g}: give the picture's rate as {real}"
        if rate is not None and self.picture is not None and rate != self.picture:
            return f"it counts {float(rate):.5g} fps, the picture {float(self.picture):.5g}"
        if rate is not None and real is not None and real > rate:
            return f"it runs at {float(real):.5g} fps, {apart(real, rate)} an hour away from a picture of {float(rate):.5g}"
        return ""
