"""Every address under which the studio can be asked, in one table: its arguments, what it does, what it answers.

The OSC server, the HTTP routes, the client and the page ``bridge/OSC.md`` are all made from `ASKED`; what subscribers hear stands in
`bridge.told`. A row's arguments are in the order in which OSC takes them; in HTTP they go by name. What each call
does stands in `bridge.calls`.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.address import Address, Argument


def _whole(name: str, what: str, needed: bool = False, low: int = 1, high: int = 10**6) -> Argument:
    return Argument(name, "int", what, needed, low, high)


SCENE = _whole("scene", "scenes count from 1", needed=True)
SEED = _whole("seed", "same seed, same notes; left open, one not used before", low=0, high=2**63 - 1)
FRAME = _whole("frame", "of the film, counted from 0", needed=True, low=0, high=10**9)
PATH = "an absolute path"
ENGINE = Argument("engine", "text", "bmt or diffbgm")
MODE = Argument("mode", "text", "strict or official")
JOB = "the job's number, state and progress; its end is told to who asked and to subscribers"

HITS = "the hits"
NEXT_DOOR = "the cut list that is watched, and the DAW that is followed"
TRANSPORT = "place, speed, who leads, and every port"

ASKED: tuple[Address, ...] = (
    Address("/hitpoint/ping", "Whether anybody is there.", "version, and what is open", changes=False),
    Address("/hitpoint/session", "The open session.", "its file, cue, film, tempo map and scenes", changes=False),
    Address(
        "/hitpoint/takes",
        "The takes of a scene, or of all.",
        "takes by scene, the chosen one of each",
        (_whole("scene", "only of this one"),),
        changes=False,
    ),
    Address("/hitpoint/brief", "What the engines are told.", "every bar: picture, composer, brief", changes=False),
    Address("/hitpoint/brief/sheet", "The brief as a text sheet.", "its text", changes=False),
    Address("/hitpoint/cuesheet", "The cue sheet and spotting notes.", "the cue, its scenes and hits as rows", changes=False),
    Address("/hitpoint/history", "What was done.", "sentences of what can be undone and redone", changes=False),
    Address("/hitpoint/report", "The hit report of the cue's MIDI file.", "every hit with its error", changes=False),
    Address("/hitpoint/hits", "The hits of the session.", "frame, weight and label of each", changes=False),
    Address("/hitpoint/film", "The open film.", "its cuts, and its tempo maps if it was spotted", changes=False),
    Address("/hitpoint/transport", "Where the transport is.", TRANSPORT, changes=False),
    Address("/hitpoint/jobs", "All jobs.", "number, state and progress of each", changes=False),
    Address("/hitpoint/job", "One job.", "its state and progress", (_whole("job", "its number", needed=True),), changes=False),
    Address(
        "/hitpoint/open",
        "Open a session (.hitpoint) or a film.",
        f"a session: as /hitpoint/session; a film: {JOB}",
        (
            Argument("path", "path", f"{PATH} of the film or session", needed=True),
            Argument("cuts", "path", f"{PATH} of the editor's cut list, for a film"),
            Argument("rate", "text", "frames a second of a cut list that does not say: 25, 24000/1001"),
        ),
    ),
    Address(
        "/hitpoint/spot",
        "Tempo maps for the open film.",
        JOB,
        (
            Argument("tempo", "text", "a range in beats a minute: 70-140"),
            Argument("max_bend", "float", "how far a beat may leave it, in percent", low=0, high=50),
            Argument("metres", "text", "that the cue may be in: 4/4 7/8"),
            _whole("subdivision", "1: hits on beats; 2: on eighths too", high=2),
            Argument("hits", "text", "your word on hits, by spaces: 412=1.0,hard 980=off"),
        ),
    ),
    Address(
        "/hitpoint/map",
        "Choose a tempo map of the open film.",
        "the candidates, the chosen one first",
        (_whole("map", "its place in the list, from 0", needed=True, low=0),),
    ),
    Address(
        "/hitpoint/new",
        "A session of the open film, nothing composed.",
        "as /hitpoint/session",
        (Argument("path", "path", f"{PATH} for the session; left open, FILM-score/cue.hitpoint beside the film"), ENGINE, MODE),
    ),
    Address(
        "/hitpoint/score",
        "Compose every scene; a film that has no session yet gets one.",
        JOB,
        (Argument("path", "path", f"{PATH} for a new session of the open film"), SEED),
    ),
    Address(
        "/hitpoint/scene/refill",
        "Compose a scene again, or some of its bars or stems, and nothing else.",
        JOB,
        (
            SCENE,
            SEED,
            Argument("bars", "text", "of the cue, by spaces: 5-8 11"),
            Argument("stems", "text", "by spaces: melody piano"),
            Argument("keep", "text", "what stays, by spaces: melody 5-6 melody:5-6 melody@5.3"),
            ENGINE,
            MODE,
        ),
    ),
    Address(
        "/hitpoint/scene/take",
        "Let another take of a scene be heard.",
        "the scene's takes",
        (SCENE, _whole("take", "its number; 0 silences the scene", needed=True, low=0)),
    ),
    Address(
        "/hitpoint/scene/rate",
        "Rate a take.",
        "the scene's takes",
        (SCENE, _whole("rating", "1 to 5; 0 takes it back", needed=True, low=0, high=5), _whole("take", "the chosen one")),
    ),
    Address(
        "/hitpoint/scene/remark",
        "Name or annotate a take.",
        "the scene's takes",
        (
            SCENE,
            Argument("name", "text", "its name"),
            Argument("remark", "text", "a remark"),
            _whole("take", "the chosen one"),
        ),
    ),
    Address("/hitpoint/scene/name", "Name a scene.", "the scenes", (SCENE, Argument("name", "text", "left open, it has none"))),
    Address(
        "/hitpoint/scene/keep",
        "What refills of a scene may not touch from now on.",
        "the scene's takes",
        (SCENE, Argument("keep", "text", "by spaces: melody 5-6 melody:5-6; left open, everything is free again")),
    ),
    Address(
        "/hitpoint/scene/delete",
        "Throw a take away.",
        "the scene's takes",
        (SCENE, _whole("take", "its number", needed=True)),
    ),
    Address("/hitpoint/scene/join", "Make one scene of a scene and the next.", "the scenes", (SCENE,)),
    Address(
        "/hitpoint/split", "Begin a scene at a bar of the cue.", "the scenes", (_whole("bar", "counted from 1", needed=True),)
    ),
    Address(
        "/hitpoint/tell",
        "Say something of the cue, a scene or a bar of it.",
        "the brief's words there",
        (
            Argument("setting", "text", "density energy mood register key chords metre tempo avoid sting", needed=True),
            Argument("value", "text", "as in the brief sheet: 4, calm, D:min, 80-96, true; left open, the picture decides"),
            _whole("scene", "left open, the whole cue"),
            _whole("bar", "of the cue"),
        ),
    ),
    Address(
        "/hitpoint/brief/read",
        "Read a brief sheet: what it says replaces what was said.",
        "what the engines are told",
        (Argument("path", "path", f"{PATH} of the sheet", needed=True),),
    ),
    Address("/hitpoint/name", "Name the cue: 1m1.", "as /hitpoint/session", (Argument("name", "text", "its name", needed=True),)),
    Address(
        "/hitpoint/relink",
        "Say where the session's film lies now.",
        "as /hitpoint/session",
        (
            Argument("path", "path", f"{PATH}; left open, it is looked for near the session"),
            Argument("other", "flag", "another encoding of the same cut will do"),
        ),
    ),
    Address("/hitpoint/undo", "Take back what was done last, every note of it.", "its sentence"),
    Address("/hitpoint/redo", "Do again what was undone last, without composing anew.", "its sentence"),
    Address(
        "/hitpoint/save",
        "Save now; it is saved after every act anyway.",
        "the file",
        (Argument("path", "path", f"{PATH} that becomes the session's"),),
    ),
    Address("/hitpoint/close", "Save and close the session.", "nothing"),
    Address(
        "/hitpoint/conform/look",
        "What a new cut would do to the session; nothing is changed.",
        JOB,
        (
            Argument("cuts", "path", f"{PATH} of the new cut list"),
            Argument("film", "path", f"{PATH} of the new film"),
            Argument("rate", "text", "frames a second of a cut list that does not say"),
        ),
    ),
    Address(
        "/hitpoint/conform/watch",
        "Watch a cut list: each new one is looked at and offered.",
        NEXT_DOOR,
        (
            Argument("cuts", "path", f"{PATH} of it; left open, what the script in Blender or Resolve hands over"),
            Argument("off", "flag", "watch none any more"),
        ),
    ),
    Address(
        "/hitpoint/conform",
        "Carry the session to the cut that was looked at last.",
        JOB,
        (Argument("refused", "text", "changes, by number and spaces, for which nothing is composed"),),
    ),
    Address(
        "/hitpoint/hit/add",
        "Mark a frame as a hit.",
        HITS,
        (FRAME, Argument("label", "text", "its name")),
    ),
    Address(
        "/hitpoint/hit/move",
        "Let a hit lie on another frame.",
        HITS,
        (FRAME, _whole("to", "the other frame", needed=True, low=0, high=10**9)),
    ),
    Address(
        "/hitpoint/hit/weigh",
        "Say how heavy a hit is, and what else is left open otherwise.",
        HITS,
        (
            FRAME,
            Argument("weight", "float", "0 to 1", low=0, high=1),
            Argument("hard", "flag", "whether it must be on a beat"),
            Argument("early", "float", "frames before it at which it still sounds on", low=0, high=1000),
            Argument("late", "float", "frames after it", low=0, high=1000),
            Argument("label", "text", "its name"),
        ),
    ),
    Address("/hitpoint/hit/drop", "Throw a hit away.", HITS, (FRAME,)),
    Address("/hitpoint/scene/follow", "Solve the tempo of a scene again for its hits.", "the scenes", (SCENE,)),
    Address(
        "/hitpoint/cue/spot", "Tempo maps for the session as its hits are now; nothing is changed.", f"{JOB}; its result are they"
    ),
    Address(
        "/hitpoint/cue/map",
        "Put the cue on another of these tempo maps.",
        "the scenes",
        (_whole("map", "its place in the list, from 0", needed=True, low=0),),
    ),
    Address(
        "/hitpoint/lock",
        "Lock bars: their beats stay where they are when the cue is spotted again.",
        "what was done",
        (Argument("bars", "text", "of the cue: 5-8", needed=True), Argument("locked", "flag", "false unlocks them")),
    ),
    Address(
        "/hitpoint/place",
        "Put the cue, or some of its scenes, into a DAW.",
        f"{JOB}; its result is what the DAW confirmed",
        (
            Argument("daw", "text", "folder, ardour, reaper, live, generic; left open, a folder of files to drag in"),
            Argument("scenes", "text", "only these, by spaces"),
            Argument("at", "text", "of the film's first frame in the project: seconds or timecode"),
            Argument("folder", "path", f"{PATH} for files to drag in"),
            Argument("project", "path", f"{PATH} of the DAW's project"),
            _whole("port", "on which the DAW listens", high=65535),
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
        "/hitpoint/doctor",
        "Look at every link to the other programs.",
        f"{JOB}; its result says of each link how it does and what to do",
        (
            Argument("daws", "text", "only these, by spaces"),
            Argument("listen", "float", "seconds to listen to MIDI", low=0, high=60),
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
        "Go with the DAW.",
        TRANSPORT,
        (Argument("source", "text", "who leads; left open, whoever is followed best"),),
    ),
    Address(
        "/hitpoint/transport/daw",
        "Follow a DAW over its own OSC or web interface.",
        NEXT_DOOR,
        (Argument("daw", "text", "ardour, live or reaper; left open, none any more"),),
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
            Argument("sync", "text", "virtual:NAME, system:NAME, jack:NAME, jack transport, link; several with ;"),
        ),
    ),
    Address("/hitpoint/job/cancel", "Stop a job within a step.", "its state", (_whole("job", "its number", needed=True),)),
    Address("/hitpoint/jobs/cancel", "Stop every job.", "all jobs"),
    Address("/hitpoint/subscribe", "Be told of everything that changes.", "for how long", wire="osc", changes=False),
    Address("/hitpoint/unsubscribe", "No longer.", "nothing", wire="osc", changes=False),
)

BY_ADDRESS: Mapping[str, Address] = {row.address: row for row in ASKED}
