"""Words and arguments that many rows of the table of addresses have in common."""

from __future__ import annotations

from bridge.address import Argument


def whole(name: str, what: str, needed: bool = False, low: int = 1, high: int = 10**6) -> Argument:
    """A whole number between two ends."""
    return Argument(name, "int", what, needed, low, high)


SCENE = whole("scene", "scenes count from 1", needed=True)
SEED = whole("seed", "same seed, same notes; left open, one not used before", low=0, high=2**63 - 1)
FRAME = whole("frame", "of the film, counted from 0", needed=True, low=0, high=10**9)
PATH = "an absolute path"
RATE = Argument("rate", "text", "frames a second of a cut list that does not say: 25, 24000/1001")
ENGINE = Argument("engine", "text", "bmt or diffbgm")
MODE = Argument("mode", "text", "strict or official")
FEATURES = Argument(
    "features",
    "text",
    f"files of what the film looks like, for an engine that hears them, from now on: {PATH}, several with ;, or none",
)
PROVIDER = Argument("provider", "text", "cuda, tensorrt, coreml, directml or cpu; an error if it does not load")
TEMPO = Argument("tempo", "text", "a range in beats a minute: 70-140")
BEND = Argument("max_bend", "float", "how far a beat may leave it, in percent", low=0, high=50)
METRES = Argument("metres", "text", "that the cue may be in: 4/4 7/8")
SUBDIVISION = whole("subdivision", "1: hits on beats; 2: on eighths too", high=2)
JOB = "the job's number, state and progress; its end is told to who asked and to subscribers"
HITS = "the hits"
NEXT_DOOR = "the cut list that is watched, and the DAW that is followed"
TRANSPORT = "place, speed, who leads, and every port"

MUSIC = (
    ENGINE,
    MODE,
    FEATURES,
    PROVIDER,
    Argument("formula", "text", "who maps the picture to density: ours, cmt or bmt"),
    Argument("performance", "float", "how far dynamics and timing are shaped", low=0, high=1),
    Argument("instruments", "text", "by spaces: melody=violin"),
)
"""How a new session is composed."""

AT = Argument(
    "at",
    "text",
    "of the film's first frame in the DAW's project, kept with the session: seconds, or timecode that counts as the film does "
    "(01:00:00;00 is drop-frame, 01:00:00:00 ndf is not)",
)
CUE_TEMPO = Argument("cue_tempo", "flag", "the project has the cue's tempo map, imported with its MIDI file (Live counts beats)")

PLACE = (
    AT,
    Argument("folder", "path", f"{PATH} for files to drag in"),
    Argument("project", "path", f"{PATH} of the DAW's project"),
    whole("port", "on which the DAW listens", high=65535),
)
"""Where a DAW is, and the film in it."""
