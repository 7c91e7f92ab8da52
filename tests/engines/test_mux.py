"""Music on the picture: the same frames, the same length, and sound where the picture has it."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.errors import Cancelled, FilmError, OptionError, OutputError
from engines.picture.mux import RATE, mux
from engines.picture.reel import Reel

F = Fraction
FRAMES, FLASH = 60, 30  # the length of a film, and its white frame


def a_film(path: Path, codec: str = "libx264", rate: Fraction | int = 24, size: tuple[int, int] = (160, 90)) -> Path:
    """Black frames, one white, and a beep of the film's own at half a second."""
    with av.open(str(path), "w") as out:
        video = out.add_stream(codec, rate=rate)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        sound = out.add_stream("aac", rate=44100, layout="mono")
        for k in range(FRAMES):
            image = np.full((size[1], size[0], 3), 255 if k == FLASH else 0, np.uint8)
            out.mux(video.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        out.mux(video.encode(None))
        own = np.zeros(round(44100 * FRAMES / rate), np.float32)
        own[22050:26460] = 0.8 * np.sin(np.arange(4410) * 0.1)
        for begin in range(0, len(own), 1024):
            frame = av.AudioFrame.from_ndarray(own[None, begin : begin + 1024], "fltp", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 44100, begin, F(1, 44100)
            out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    return path


def music(path: Path, seconds: Fraction, clicks: tuple[Fraction, ...]) -> Path:
    made = np.zeros((round(seconds * RATE), 2), "<i2")
    for click in clicks:
        made[round(click * RATE) : round(click * RATE) + 480] = 30000
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(made.tobytes())
    return path


def sound_of(path: Path) -> NDArray[np.float32]:
    """Decoded sound on the file's own clock, from time 0 on."""
    out = np.zeros((2, 0), np.float32)
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            place = round(frame.pts * frame.time_base * RATE)
            piece = frame.to_ndarray()
            assert place >= 0
            out = np.pad(out, ((0, 0), (0, max(0, place + piece.shape[1] - out.shape[1]))))
            out[:, place : place + piece.shape[1]] = piece
    return out


def onset(sound: NDArray[np.float32], after: float = 0) -> float:
    begin = round(after * RATE)
    return (begin + int(np.argmax(np.abs(sound[:, begin:]).max(axis=0) > 0.25))) / RATE


def flash_time(path: Path) -> Fraction:
    with av.open(str(path)) as container:
        return next(f.pts * f.time_base for f in container.decode(video=0) if f.to_ndarray(format="gray").mean() > 128)


@pytest.mark.parametrize(("name", "codec", "rate"), [("a.mp4", "libx264", F(24)), ("a.mkv", "libx264", F(30000, 1001))])
@pytest.mark.parametrize("out", ["o.mp4", "o.mov", "o.mkv"])
def test_a_click_on_the_flash_stays_on_it(tmp_path: Path, name: str, codec: str, rate: Fraction, out: str) -> None:
    film = a_film(tmp_path / name, codec, rate)
    cue = music(tmp_path / "cue.wav", 60 / rate, (FLASH / rate,))
    made = mux(film, cue, tmp_path / out, mix=0)
    assert abs(flash_time(made) - FLASH / rate) < F(1, 900)
    assert onset(sound_of(made)) == pytest.approx(float(FLASH / rate), abs=0.002)
    before, after = Reel.open(film), Reel.open(made)
    assert (after.frames, after.rate, after.duration) == (before.frames, before.rate, before.duration)
    assert abs(sound_of(made).shape[1] / RATE - float(before.duration)) < 1024 / RATE


def test_the_films_own_sound_stays_under_the_music_in_its_place(tmp_path: Path) -> None:
    film = a_film(tmp_path / "a.mp4")
    cue = music(tmp_path / "cue.wav", F(5, 2), (F(2),))
    alone = sound_of(mux(film, cue, tmp_path / "alone.mp4", mix=0))
    mixed = sound_of(mux(film, cue, tmp_path / "mixed.mp4", mix=0.5))
    assert np.abs(alone[:, : RATE * 3 // 2]).max() < 0.02
    beep = np.abs(mixed[:, : RATE * 3 // 2]).max(axis=0)
    assert beep.max() == pytest.approx(0.8 * 0.5 * 0.5**0.5, abs=0.03)  # from one channel to two
    assert int(np.argmax(beep > 0.1)) / RATE == pytest.approx(0.5, abs=0.005)
    assert np.abs(mixed).max() < 1
    assert onset(mixed, 1.5) == pytest.approx(2, abs=0.002)


def test_pictures_that_the_container_cannot_hold_are_encoded_again(tmp_path: Path) -> None:
    film = a_film(tmp_path / "a.mkv", "libvpx", size=(162, 91))
    cue = music(tmp_path / "cue.wav", F(5, 2), (FLASH / F(24),))
    made = mux(film, cue, tmp_path / "o.mp4", mix=0.3)
    after = Reel.open(made)
    assert (after.width, after.height, after.frames) == (162, 90, 60)
    assert abs(flash_time(made) - FLASH / F(24)) < F(1, 900)
    assert onset(sound_of(made), 1.0) == pytest.approx(FLASH / 24, abs=0.002)


def test_a_film_that_starts_late_starts_with_its_picture(shared: Path, tmp_path: Path) -> None:
    film = shared / "media" / "delayed_start.mp4"
    reel = Reel.open(film)
    made = mux(film, music(tmp_path / "cue.wav", reel.duration, (F(1, 2),)), tmp_path / "o.mp4")
    with av.open(str(made)) as container:
        assert next(container.decode(video=0)).pts == 0
    assert Reel.open(made).duration == reel.duration
    assert onset(sound_of(made)) == pytest.approx(0.5, abs=0.002)


def test_real_pictures_are_copied_byte_for_byte(shared: Path, tmp_path: Path) -> None:
    film = shared / "media" / "stills_with_fades.mp4"
    reel = Reel.open(film)
    made = mux(film, music(tmp_path / "cue.wav", reel.duration, ()), tmp_path / "o.mp4")
    assert Reel.open(made).timing.frames == reel.frames
    with av.open(str(film)) as a, av.open(str(made)) as b:
        for before, after in zip(a.demux(video=0), b.demux(video=0), strict=True):
            assert bytes(before) == bytes(after)


def test_music_shorter_and_longer_than_the_film_is_made_to_fit(tmp_path: Path) -> None:
    film = a_film(tmp_path / "a.mp4")
    for seconds in (F(1), F(4)):
        made = mux(film, music(tmp_path / "cue.wav", seconds, (F(1, 4),)), tmp_path / "o.mp4")
        with av.open(str(made)) as container:
            audio = container.streams.audio[0]
            assert abs(audio.duration * audio.time_base - F(5, 2)) < F(1, 100)


def test_what_cannot_be_done_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    film = a_film(tmp_path / "a.mp4")
    cue = music(tmp_path / "cue.wav", F(5, 2), ())
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(film.read_bytes()[:3000])
    short = tmp_path / "short.mp4"
    short.write_bytes(mux(film, cue, short).read_bytes()[:-500])  # the header says more than there is
    before = sorted(p.name for p in tmp_path.iterdir())
    with pytest.raises(FilmError, match="of its 60 frames are there"):
        mux(short, cue, tmp_path / "o.mp4")
    with pytest.raises(FilmError, match="no such film"):
        mux(tmp_path / "no.mp4", cue, tmp_path / "o.mp4")
    with pytest.raises(FilmError):
        mux(broken, cue, tmp_path / "o.mp4")
    with pytest.raises(FilmError):
        mux(cue, cue, tmp_path / "o.mp4")
    with pytest.raises(OptionError, match="name it"):
        mux(film, cue, tmp_path / "o.avi")
    with pytest.raises(OptionError, match="not a WAV file"):
        mux(film, film, tmp_path / "o.mp4")
    with pytest.raises(OptionError, match=r"2 is not in 0\.\.1"):
        mux(film, cue, tmp_path / "o.mp4", mix=2)
    with pytest.raises(OutputError, match="folder does not exist"):
        mux(film, cue, tmp_path / "no" / "o.mp4")
    with pytest.raises(Cancelled):
        mux(film, cue, tmp_path / "o.mp4", cancelled=lambda: True)
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_progress_rises_to_the_end(tmp_path: Path) -> None:
    told: list[tuple[float, float]] = []
    film = a_film(tmp_path / "a.mp4")
    mux(film, music(tmp_path / "cue.wav", F(5, 2), ()), tmp_path / "o.mp4", on_progress=lambda d, t: told.append((d, t)))
    assert told[-1] == (2.5, 2.5)
    assert len(told) > 50


def test_the_film_is_never_written_over(tmp_path: Path) -> None:
    film = a_film(tmp_path / "preview.mp4")
    before = film.read_bytes()
    (tmp_path / "link.mp4").symlink_to(film)
    for out in (film, tmp_path / "link.mp4"):
        with pytest.raises(OutputError, match="is the film itself, which is not written over; choose another folder"):
            mux(film, music(tmp_path / "music.wav", F(1), ()), out)
    assert film.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.mp4", "music.wav", "preview.mp4"]
