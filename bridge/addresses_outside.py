"""The rows of the table of addresses that reach beyond the session: files, other programs, the transport, ports."""

from __future__ import annotations

from bridge.address import Address, Argument
from bridge.address_words import (
    AT,
    CUE_TEMPO,
    ENGINE,
    FEATURES,
    JOB,
    NEXT_DOOR,
    PATH,
    PLACE,
    PROVIDER,
    RATE,
    SEED,
    TEMPO,
    TRANSPORT,
    whole,
)

PORT = "virtual:NAME, system:NAME, jack:NAME; for one stem at it melody=virtual:NAME"
LATENCIES = "milliseconds by port and stem, and what is wrong with the file that keeps them"

OUTSIDE: tuple[Address, ...] = (
    Address(
        "/hitpoint/place",
        "Put the cue, or some of its scenes, into a DAW.",
        f"{JOB}; its result is what the DAW confirmed",
        (
            Argument("daw", "text", "folder, ardour, reaper, live, generic; left open, a folder of files to drag in"),
            Argument("scenes", "text", "only these, by spaces"),
            *PLACE,
        ),
    ),
    Address(
        "/hitpoint/deliver",
        "All of the cue in one folder.",
        f"{JOB}; its result names the files",
        (
            Argument("folder", "path", f"{PATH}; files of an earlier delivery there are replaced", needed=True),
            Argument("stems", "flag", "a MIDI file for each stem, too"),
            Argument("takes", "flag", "a MIDI file for each take of each scene, too"),
            Argument("scenes", "text", "takes of these scenes only, by spaces"),
        ),
    ),
    Address(
        "/hitpoint/preview",
        "The music on the film's picture, as a film to look at.",
        f"{JOB}; its result names the files",
        (
            Argument("folder", "path", f"{PATH}; left open, beside the session"),
            Argument("mix", "float", "level of the film's own sound", low=0, high=1),
            Argument("soundfont", "path", f"{PATH} of an .sf2"),
            Argument("synthesiser", "text", "sampler or fluidsynth"),
        ),
    ),
    Address(
        "/hitpoint/cuts/write",
        "The cuts of the open session or film as a cut list.",
        "its file",
        (Argument("path", "path", f"{PATH}; .csv, .edl or .otio", needed=True),),
    ),
    Address(
        "/hitpoint/click/write",
        "A click track on the tempo map, as MIDI.",
        "its file",
        (Argument("path", "path", PATH, needed=True),),
    ),
    Address(
        "/hitpoint/cuesheet/write",
        "The cue sheet and the spotting notes as files.",
        "the files",
        (
            Argument("csv", "path", f"{PATH} for the cue and its scenes as a table"),
            Argument("spotting", "path", f"{PATH} for the hits as a table"),
            Argument("html", "path", f"{PATH} for a page to print"),
        ),
    ),
    Address(
        "/hitpoint/brief/write",
        "The brief as a text sheet in a file.",
        "its file",
        (Argument("path", "path", PATH, needed=True),),
    ),
    Address(
        "/hitpoint/report/midi",
        "The hit report of anybody's MIDI file.",
        "every hit with its error",
        (
            Argument("midi", "path", f"{PATH} of it", needed=True),
            Argument("cuts", "path", f"{PATH} of a cut list; left open, the session's cuts"),
            Argument("film", "path", f"{PATH} of its film, for rate and start timecode"),
            RATE,
        ),
    ),
    Address(
        "/hitpoint/sketch",
        "Music without a film, as MIDI files.",
        f"{JOB}; its result names the files",
        (
            Argument("folder", "path", f"{PATH} for them", needed=True),
            whole("bars", "of each", high=1000),
            whole("count", "so many", high=1000),
            SEED,
            TEMPO,
            Argument("metre", "text", "4/4"),
            Argument("mood", "text", "happy, angry, sad or calm"),
            whole("density", "onset positions a bar", low=0, high=16),
            Argument("energy", "float", "0 to 1", low=0, high=1),
            Argument("pitch", "float", "the mean one, as MIDI counts", low=36, high=96),
            Argument("key", "text", "C:maj"),
            Argument("chords", "text", "one a bar, in a round: C Am F/A G7"),
            ENGINE,
            FEATURES,
            PROVIDER,
            Argument("performance", "float", "how far dynamics and timing are shaped", low=0, high=1),
        ),
    ),
    Address("/hitpoint/ports", "MIDI ports that other programs offer.", "systems with their ports", changes=False),
    Address(
        "/hitpoint/latencies",
        "What is kept of how late ports are and how slow stems sound; less than 0 plays earlier.",
        LATENCIES,
        changes=False,
    ),
    Address(
        "/hitpoint/calibrate",
        "Measure how late a port's notes are, and make up for it from now on. What notes sent round tell takes the place of what is kept;"
        " what a recording tells is added to it, for it was played with that.",
        f"{JOB}; its result says how late, what is kept now and what was, or in doubt why nothing is kept",
        (
            Argument("out", "text", f"{PORT}; left open, what the player opens by itself"),
            Argument("into", "text", "where the notes come back in"),
            Argument("midi", "path", f"{PATH} of what the DAW recorded, in place of notes sent round"),
            Argument("expected", "path", f"{PATH} of what was played to it: a session or a MIDI file"),
            Argument(
                "at",
                "text",
                "of the film, at which the recording begins: seconds, or timecode from its first frame as the session counts",
            ),
            Argument("rate", "text", "frames a second of that timecode, where it is not the session's: 25, 24000/1001"),
            Argument("dry", "flag", "keep nothing"),
            Argument("anyway", "flag", "keep it though the notes lie far apart, or the rounds differ"),
        ),
    ),
    Address(
        "/hitpoint/latencies/set",
        "Tell how much earlier (less than 0) or later a port or a stem is to be played from now on.",
        "what is kept now, and what was",
        (
            Argument("ms", "float", "milliseconds, as a DAW's track delay", needed=True, low=-2000, high=2000),
            Argument("port", "text", f"{PORT}; left open, with no stem either, what the player opens by itself"),
            Argument("stem", "text", "whose sounds begin late at any port, added to the port's: melody, bridge, piano"),
        ),
    ),
    Address(
        "/hitpoint/latencies/forget",
        "Forget what is kept for a port or a stem.",
        LATENCIES,
        (Argument("port", "text", "as /hitpoint/latencies names it: jack:NAME, stem:melody", needed=True),),
    ),
    Address(
        "/hitpoint/doctor",
        "Look at every link to the other programs.",
        f"{JOB}; its result says of each link how it does and what to do",
        (
            Argument("daws", "text", "only these, by spaces"),
            Argument("listen", "float", "seconds to listen to MIDI", low=0, high=60),
            *PLACE[1:4],
        ),
    ),
    Address("/hitpoint/transport/play", "Roll from where it is.", TRANSPORT),
    Address("/hitpoint/transport/stop", "Stand; no note is left sounding.", TRANSPORT),
    Address(
        "/hitpoint/transport/locate",
        "Go to a place in the film.",
        TRANSPORT,
        (Argument("seconds", "float", "from its first frame", needed=True, low=0, high=86_400),),
    ),
    Address(
        "/hitpoint/transport/loop",
        "Play a part of the film over and over; without a part, no longer.",
        TRANSPORT,
        (
            Argument("start", "float", "seconds of the film", low=0, high=86_400),
            Argument("end", "float", "seconds of the film", low=0, high=86_400),
        ),
    ),
    Address(
        "/hitpoint/transport/speed",
        "Another speed.",
        TRANSPORT,
        (Argument("speed", "float", "1: normal", needed=True, low=0.01, high=16),),
    ),
    Address(
        "/hitpoint/transport/follow",
        "Go with the DAW. Where no port was named in which it is heard, ours is opened: Hitpoint sync.",
        TRANSPORT,
        (Argument("source", "text", "who leads; left open, whoever is followed best"), AT),
    ),
    Address(
        "/hitpoint/transport/daw",
        "Follow a DAW over its own OSC or web interface, or over MIDI.",
        NEXT_DOOR,
        (
            Argument("daw", "text", "ardour, live, reaper, or generic for MIDI; left open, none any more"),
            AT,
            whole("port", "on which the DAW listens", high=65535),
            CUE_TEMPO,
        ),
    ),
    Address("/hitpoint/transport/panic", "Stand, and silence every channel of every port.", TRANSPORT),
    Address(
        "/hitpoint/transport/ports",
        "Choose the ports of the player.",
        TRANSPORT,
        (
            Argument(
                "out", "text", "auto, virtual:NAME, system:NAME, jack:NAME; for one stem melody=virtual:NAME; several with ;"
            ),
            Argument("sync", "text", "auto, virtual:NAME, system:NAME, jack:NAME, jack transport, link; several with ;"),
            Argument(
                "send_timecode",
                "text",
                "where timecode goes to who follows: auto (Hitpoint timecode), or as out; off for nowhere",
            ),
            Argument("send_clock", "text", "where the beat clock goes: auto (Hitpoint clock), or as out; off for nowhere"),
        ),
    ),
)
