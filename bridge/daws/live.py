"""Ableton Live through AbletonOSC: session clips, tempo, cue points, transport.

AbletonOSC (MIT, a remote script) is put into Live's folder of remote scripts and chosen as a control surface. It listens on port
11000, answers to 11001, and looks for messages every 0.1 s. Live counts beats, and tells its tempo where it stands and no other. A set
of one tempo has its beats at that tempo: notes are placed by their seconds, so that every hit is on its frame while the tempo stays as
it is. A set that has the cue's tempo map (imported with its MIDI file) is read and filled through that map, exactly.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

from bridge.daw import Address, Clip, Cue, Placed, ProjectMarker, Reach, Sound, Transport, confirm
from bridge.daws.following import Following, hearing
from bridge.daws.osc_peer import OscPeer
from bridge.osc_transport import LiveTransport, number
from bridge.transport import Report
from engines.errors import DawError
from engines.spotting.tempo import Metre, TempoMap

PORT = 11000
"""Where AbletonOSC listens; it answers to the next one."""

NOTES = 50
"""In one datagram: five numbers each, so that it stays below 1.4 kB, which every network carries whole."""

_LETTERS = 24  # datagrams before Live is asked whether it has read them: a socket's buffer is finite
_FINEST = Fraction(1, 1000)  # s: OSC carries floats of 32 bits
_MOST_TRACKS = 2000
_UPDATE = "bring AbletonOSC up to date"
_BEAT = Fraction(1, 100)  # of a beat: OSC carries floats of 32 bits
_AWAY_S = 3.0
_OURS = re.compile(r"(?P<cue>\S+) .*\[(?P<scene>s\d+)\]")


class Live:
    """Live at AbletonOSC's port."""

    name = "live"

    def __init__(self, address: Address) -> None:
        port = address.port or PORT
        self._map = address.tempo_map
        self.peer = OscPeer(self.name, port, port + 1, address.host, address.timeout_s)
        self._subscribed = False
        self._following = Following(self.name)
        self._told = 0  # datagrams

    def reach(self) -> Reach:
        """Asks for tempo and tracks."""
        try:
            tempo, tracks = float(self._tempo()), self._tracks()
        except DawError as error:
            cure = "put AbletonOSC into Live's Remote Scripts, and choose it in Preferences, Link/Tempo/MIDI, Control Surface"
            return Reach(self.name, False, error.what, cure)
        said = f"answers through AbletonOSC, {len(tracks)} tracks, {tempo:.2f} bpm"
        return Reach(self.name, True, said, facts={"bpm": tempo, "tracks": tracks})

    def place(self, cue: Cue, at: Fraction) -> Placed:
        """A session clip a scene and stem, on tracks named like the stems, made where they are missing; notes are read back."""
        beats, tracks = self._beats(at), self._tracks()
        names: dict[int, list[str | None]] = {}
        rows: dict[str, int] = {}
        places: list[tuple[Clip, int, int]] = []
        for clip in cue.clips:
            track = self._track(clip.track, tracks)
            if track not in names:
                names[track] = self._names(track)
            slot = self._slot(track, names[track], clip.name, rows.get(clip.scene))
            rows.setdefault(clip.scene, slot)
            self._fill(track, slot, clip, beats, names[track][slot] is not None)
            names[track][slot] = clip.name
            places.append((clip, track, slot))
        for track, expected in names.items():
            self._made(track, expected, tracks)
        found = {clip.key: replace(clip, sounds=self._held(track, slot, clip, beats)) for clip, track, slot in places}
        if cue.whole:
            self._clear(cue, tracks)
        clips, worst = confirm(self.name, cue.clips, found, _FINEST)
        where = "; ".join(f"row {row + 1} at {_clock(self._start(clips, scene) + at)}" for scene, row in rows.items())
        tempo = f"{float(beats.bpm(0)):.2f} bpm" if self._map is None else "the cue's tempo map"
        said = f"{len(clips)} session clips hold their notes, for {tempo}: launch {where} of the project"
        return Placed(self.name, said, clips, True, (), worst)

    def markers(self) -> tuple[ProjectMarker, ...]:
        """The set's cue points (locators), which Live tells in beats."""
        beats = self._beats()
        said = self.peer.ask("/live/song/get/cue_points")
        pairs = zip(said[::2], said[1::2], strict=False)
        return tuple(sorted(ProjectMarker(beats.seconds(self._exact(beat)), str(name)) for name, beat in pairs))

    def transport(self) -> Transport:
        """Its place, to a tenth of a second: Live answers no faster."""
        tempo = self._tempo()
        here = self._number("/live/song/get/current_song_time")
        playing = bool(self._number("/live/song/get/is_playing"))
        beat, unit = (int(self._number(f"/live/song/get/signature_{part}")) for part in ("numerator", "denominator"))
        metre = Metre(beat, unit) if beat > 0 and unit > 0 else None
        return Transport(self._beats().seconds(here), playing, float(tempo), metre)

    def go(self, seconds: Fraction | None = None, rolling: bool | None = None) -> Transport:
        """Goes to a place, then plays on or stops, and waits until Live says so."""
        if rolling is False:
            self._roll("/live/song/stop_playing", False)
        if seconds is not None:
            self._locate(max(Fraction(0), seconds))
        if rolling:
            self._roll("/live/song/continue_playing", True)
        return self.transport()

    def follow(self, hear: Callable[[Report], None]) -> None:
        """Has Live tell its place, tempo and whether it plays; asked again after Live was away. Places are handed on in seconds of the
        set, as `place` counts them."""
        self._subscribed = False
        self.peer.listeners.append(hearing(LiveTransport(), lambda report: self._hand_on(report, hear)))
        self._following.begin(self._subscribe_again)

    def _hand_on(self, report: Report, hear: Callable[[Report], None]) -> None:
        beats = self._map
        if report.beats is not None:
            if beats is None and report.bpm is None:
                return  # it says its tempo first
            beats = beats or TempoMap.steady(Fraction(report.bpm or 0))
            report = replace(report, beats=None, seconds=beats.seconds(report.beats))
        hear(report)

    def close(self) -> None:
        """Tells Live to be quiet, ends the thread and closes the socket."""
        if self._following.end():
            with suppress(DawError):  # it may have gone: nothing to quieten then
                self._listen("stop")
        self.peer.close()

    def _subscribe_again(self) -> float:
        """Subscribes, and again whenever Live had gone: it forgets its listeners when it quits."""
        try:
            if not self._subscribed:
                self._listen("start")
            self.peer.ask("/live/test")
            self._subscribed = True
        except DawError:
            self._subscribed = False
        return _AWAY_S

    def _listen(self, way: str) -> None:
        for what in ("tempo", "is_playing", "current_song_time"):  # beats mean nothing without a tempo
            self.peer.send(f"/live/song/{way}_listen/{what}")

    def _number(self, address: str, *args: Any) -> Fraction:
        said = self.peer.ask(address, *args)
        return self._exact(said[-1] if said else None)

    def _exact(self, value: object) -> Fraction:
        exact = number((value,))
        if exact is None:
            raise DawError(f"says {str(value)[:20]!r} where a number belongs", where=self.name, cure=_UPDATE)
        return exact

    def _tempo(self) -> Fraction:
        tempo = self._number("/live/song/get/tempo")
        if tempo <= 0:
            raise DawError("has no tempo", where=self.name, cure="open a set in Live")
        return tempo

    def _beats(self, at: Fraction = Fraction(0)) -> TempoMap:
        """Seconds of the film by the set's beats, the film's first frame ``at`` seconds of the project."""
        found = self._map or TempoMap.steady(self._tempo())
        return replace(found, origin=found.origin - at)

    def _tracks(self) -> list[str]:
        count = int(self._number("/live/song/get/num_tracks"))
        if not 0 <= count <= _MOST_TRACKS:
            raise DawError(f"says that it has {count} tracks", where=self.name, cure=_UPDATE)
        return [self._name_of(index) for index in range(count)]

    def _name_of(self, track: int) -> str:
        return str(self.peer.ask("/live/track/get/name", track, fits=lambda said: said[:1] == (track,) and len(said) == 2)[1])

    def _track(self, stem: str, tracks: list[str]) -> int:
        """The track of a stem, made at the end where there is none of its name."""
        for index, name in enumerate(tracks):
            if name.casefold() in (stem.casefold(), f"hitpoint {stem}".casefold()):
                return index
        self.peer.send("/live/song/create_midi_track", -1)
        index = len(tracks)
        if not self.peer.until(lambda: self._number("/live/song/get/num_tracks") > index):
            raise DawError(f"made no track for {stem!r}", where=self.name, cure=f"make a MIDI track named {stem!r} in Live")
        self.peer.send("/live/track/set/name", index, stem)
        tracks.append(stem)
        return index

    def _slot(self, track: int, names: list[str | None], name: str, wanted: int | None) -> int:
        """The slot that holds the clip of that name; else the row ``wanted`` if it is empty, else the first empty one."""
        known = _OURS.fullmatch(name)
        for slot, there in enumerate(names):
            its = _OURS.fullmatch(there or "")
            if there == name or (known and its and its.groups() == known.groups()):  # a scene that was renamed is the same
                return slot
        if wanted is not None and wanted < len(names) and names[wanted] is None:
            return wanted
        if None in names:
            return names.index(None)
        self.peer.send("/live/song/create_scene", -1)
        if not self.peer.until(lambda: len(self._names(track)) > len(names)):
            raise DawError("made no scene", where=self.name, cure="add an empty scene in Live")
        names.append(None)
        return len(names) - 1

    def _names(self, track: int) -> list[str | None]:
        said = self.peer.ask("/live/track/get/clips/name", track, fits=lambda said: said[:1] == (track,))
        return [None if name is None else str(name) for name in said[1:]]

    def _fill(self, track: int, slot: int, clip: Clip, beats: TempoMap, occupied: bool) -> None:
        """Makes the clip anew with its notes; nothing is waited for, but Live is asked now and then whether it has read so far."""
        if occupied:
            self._tell("/live/clip_slot/delete_clip", track, slot)
        self._tell("/live/clip_slot/create_clip", track, slot, float(beats.beat(clip.end) - beats.beat(clip.start)))
        self._tell("/live/clip/set/name", track, slot, clip.name)
        for some in _groups(clip.sounds, NOTES):
            self._tell("/live/clip/add/notes", track, slot, *_numbers(some, clip.start, beats))

    def _tell(self, address: str, *args: Any) -> None:
        self.peer.send(address, *args)
        self._told += 1
        if self._told % _LETTERS == 0:
            self.peer.ask("/live/test")

    def _made(self, track: int, expected: list[str | None], tracks: Sequence[str]) -> None:
        """Waits until the clips of a track are there. Raises DawError where one does not come."""
        if self.peer.until(lambda: self._names(track)[: len(expected)] == expected):
            return
        for slot, (name, there) in enumerate(zip(expected, self._names(track), strict=False)):
            if name != there:
                what = f"made no clip {name!r} in row {slot + 1} of {tracks[track]!r}"
                raise DawError(what, where=self.name, cure="is that a MIDI track, and the slot empty?")

    def _held(self, track: int, slot: int, clip: Clip, beats: TempoMap) -> tuple[Sound, ...]:
        """The notes that Live has in a clip; filled once more where a datagram was lost on the way."""
        sounds = self._sounds(track, slot, clip, beats)
        if len(sounds) != len(clip.sounds):
            self._fill(track, slot, clip, beats, occupied=True)
            sounds = self._sounds(track, slot, clip, beats)
        return sounds

    def _sounds(self, track: int, slot: int, clip: Clip, beats: TempoMap) -> tuple[Sound, ...]:
        """The notes that Live has in a clip, in seconds of the film."""
        first = beats.beat(clip.start)
        span = float(beats.beat(clip.end) - first) + 1
        said = self.peer.ask(
            "/live/clip/get/notes", track, slot, 0, 128, 0.0, span, fits=lambda said: said[:2] == (track, slot)
        )[2:]  # fmt: skip
        out = set()
        for pitch, start, length, velocity, _ in _groups(said[: len(said) // 5 * 5], 5):
            begin = first + self._exact(start)
            on, off = beats.seconds(begin), beats.seconds(begin + self._exact(length))
            out.add(Sound(on, int(self._exact(pitch)), off, round(self._exact(velocity))))
        return tuple(sorted(out))

    def _clear(self, cue: Cue, tracks: Sequence[str]) -> None:
        """Clips of the cue's scenes that are there no more go."""
        living = {(clip.track.casefold(), clip.name) for clip in cue.clips}
        stems = {clip.track.casefold() for clip in cue.clips}
        for index, name in enumerate(tracks):
            stem = name.casefold().removeprefix("hitpoint ")
            if stem in stems:
                names = self._names(index)
                gone = [slot for slot, there in enumerate(names) if _of_cue(there, cue) and (stem, there) not in living]
                for slot in gone:
                    self.peer.send("/live/clip_slot/delete_clip", index, slot)
                if gone and not self.peer.until(partial(self._empty, index, gone)):
                    raise DawError(
                        f"keeps clips of scenes that are no more in {name!r}", where=self.name, cure="delete them in Live"
                    )

    def _locate(self, seconds: Fraction) -> None:
        sent, beats = time.monotonic(), self._beats()
        place = beats.beat(seconds)
        if place < 0:
            raise DawError("has no beats before its first", where=self.name, cure="go to a later place")
        self.peer.send("/live/song/set/current_song_time", float(place))

        def there() -> bool:
            latest = beats.beat(seconds + Fraction(time.monotonic() - sent))  # if it plays
            return place - _BEAT <= self._number("/live/song/get/current_song_time") <= latest + _BEAT

        if not self.peer.until(there):
            raise DawError("did not go where it was sent", where=self.name, cure="is it recording, or following another clock?")

    def _empty(self, track: int, slots: Iterable[int]) -> bool:
        names = self._names(track)
        return not any(names[slot] for slot in slots)

    def _roll(self, address: str, rolling: bool) -> None:
        self.peer.send(address)
        if not self.peer.until(lambda: bool(self._number("/live/song/get/is_playing")) is rolling):
            raise DawError(f"does not {'start' if rolling else 'stop'}", where=self.name, cure="does it follow another clock?")

    @staticmethod
    def _start(clips: Iterable[Clip], scene: str) -> Fraction:
        return min(clip.start for clip in clips if clip.scene == scene)


def _numbers(sounds: Iterable[Sound], start: Fraction, beats: TempoMap) -> list[Any]:
    """Notes as AbletonOSC takes them: pitch, start and length in beats of the clip, velocity, mute."""
    out: list[Any] = []
    for sound in sounds:
        on, off = beats.beat(sound.start), beats.beat(sound.end)
        out += [sound.pitch, float(on - beats.beat(start)), float(off - on), sound.velocity, 0]
    return out


def _of_cue(name: str | None, cue: Cue) -> bool:
    """Whether a clip of that name is one of this cue's."""
    its = _OURS.fullmatch(name or "")
    return its is not None and its["cue"] == cue.number


def _groups(row: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    return (row[first : first + size] for first in range(0, len(row), size))


def _clock(seconds: Fraction) -> str:
    return f"{float(seconds):.3f} s"
