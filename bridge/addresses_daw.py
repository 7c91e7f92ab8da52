"""The rows of the table of addresses that speak of a DAW's project and have its transport go."""

from __future__ import annotations

from bridge.address import Address, Argument
from bridge.address_words import AT, CUE_TEMPO, JOB, PATH, PLACE, whole

ABOUT = "which DAW, where the film lies in its project, what is followed"
WENT = f"{JOB}; its result is what the DAW says then"
MIDI = Argument("midi", "text", "the port that takes machine control: system:NAME; left open, our own, Hitpoint control")
WHERE = (
    Argument(
        "daw", "text", "ardour, reaper, live, generic (machine control); left open, the one that is followed, or the session's"
    ),
    whole("port", "on which the DAW listens", high=65535),
    MIDI,
)
"""Which DAW is told to go."""

DAW: tuple[Address, ...] = (
    Address("/hitpoint/daw", "The DAW's project that the session belongs to.", ABOUT, changes=False),
    Address(
        "/hitpoint/daw/project",
        "Say which DAW and project the session belongs to, and where the film lies in it; kept beside the session.",
        ABOUT,
        (
            Argument("daw", "text", "ardour, reaper, live, folder or generic"),
            AT,
            Argument("project", "path", f"{PATH} of its file or folder"),
            CUE_TEMPO,
            MIDI,
        ),
    ),
    Address(
        "/hitpoint/markers",
        "Markers and regions of a DAW's project, on the film's frames; a region's end is a row of its own.",
        f"{JOB}; its result are they",
        (
            Argument("daw", "text", "ardour, reaper, live, folder or generic; left open, the session's"),
            Argument("mark", "flag", "each one inside the film becomes a hit, where none lies on its frame"),
            *PLACE,
            Argument("only", "text", "these become hits, by number and spaces"),
            Argument("weight", "float", "of these hits; left open, 1", low=0, high=1),
            Argument("region_ends", "flag", "with mark: where regions end, too; left open, only where they begin"),
        ),
    ),
    Address("/hitpoint/daw/play", "Have the DAW play from where it is.", WENT, WHERE),
    Address("/hitpoint/daw/stop", "Have the DAW stop.", WENT, WHERE),
    Address(
        "/hitpoint/daw/locate",
        "Have the DAW go to a place in the film.",
        WENT,
        (Argument("seconds", "float", "from the film's first frame", needed=True, low=-86_400, high=86_400), *WHERE),
    ),
)
