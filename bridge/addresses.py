"""Every address under which the studio can be asked, in one table: its arguments, what it does, what it answers.

The OSC server, the HTTP routes, the client and the page ``bridge/OSC.md`` are all made from `ASKED`; what subscribers hear stands in
`bridge.told`. A row's arguments are in the order in which OSC takes them; in HTTP they go by name. What each call
does stands in `bridge.calls`.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.address import Address, Argument
from bridge.address_words import (
    BEND,
    ENGINE,
    FEATURES,
    FRAME,
    HITS,
    JOB,
    METRES,
    MODE,
    MUSIC,
    NEXT_DOOR,
    PATH,
    PROVIDER,
    RATE,
    SCENE,
    SEED,
    SUBDIVISION,
    TEMPO,
    TRANSPORT,
    whole,
)
from bridge.addresses_daw import DAW
from bridge.addresses_outside import OUTSIDE

ASKED: tuple[Address, ...] = (
    Address("/hitpoint/ping", "Whether anybody is there.", "version, and what is open", changes=False),
    Address("/hitpoint/session", "The open session.", "its file, cue, film, tempo map and scenes", changes=False),
    Address(
        "/hitpoint/takes",
        "The takes of a scene, or of all.",
        "takes by scene, the chosen one of each",
        (whole("scene", "only of this one"),),
        changes=False,
    ),
    Address(
        "/hitpoint/takes/compare",
        "Two takes of a scene beside each other.",
        "what is measured of each",
        (SCENE, whole("one", "its number", needed=True), whole("other", "its number", needed=True)),
        changes=False,
    ),
    Address("/hitpoint/brief", "What the engines are told.", "every bar: picture, composer, brief", changes=False),
    Address("/hitpoint/brief/sheet", "The brief as a text sheet.", "its text", changes=False),
    Address("/hitpoint/cuesheet", "The cue sheet and spotting notes.", "the cue, its scenes and hits as rows", changes=False),
    Address("/hitpoint/history", "What was done.", "sentences of what can be undone and redone", changes=False),
    Address("/hitpoint/report", "The hit report of the cue's MIDI file.", "every hit with its error", changes=False),
    Address(
        "/hitpoint/hits",
        "The hits of the session, or of the open film before it has one.",
        "frame, weight and label of each",
        changes=False,
    ),
    Address(
        "/hitpoint/film",
        "The open film.",
        "its cuts, its tempo maps if it was spotted, and a session of it that lay beside it",
        changes=False,
    ),
    Address("/hitpoint/transport", "Where the transport is.", TRANSPORT, changes=False),
    Address("/hitpoint/jobs", "All jobs.", "number, state and progress of each", changes=False),
    Address("/hitpoint/job", "One job.", "its state and progress", (whole("job", "its number", needed=True),), changes=False),
    Address(
        "/hitpoint/demo",
        "Make a short film to try everything on, and open it.",
        JOB,
        (Argument("folder", "path", f"{PATH} of a folder for it", needed=True),),
    ),
    Address(
        "/hitpoint/open",
        "Open a session (.hitpoint) or a film.",
        f"a session: as /hitpoint/session; a film: {JOB}",
        (
            Argument("path", "path", f"{PATH} of the film or session", needed=True),
            Argument("cuts", "path", f"{PATH} of the editor's cut list, for a film"),
            RATE,
        ),
    ),
    Address(
        "/hitpoint/spot",
        "Tempo maps for the open film.",
        JOB,
        (
            TEMPO,
            BEND,
            METRES,
            SUBDIVISION,
            Argument("hits", "text", "your word on hits, by spaces: 412=1.0,hard 980=off"),
        ),
    ),
    Address(
        "/hitpoint/map",
        "Choose a tempo map of the open film.",
        "the candidates, the chosen one first",
        (whole("map", "its place in the list, from 0", needed=True, low=0),),
    ),
    Address(
        "/hitpoint/new",
        "A session of the open film, nothing composed; the first act on a film that was spotted makes one, too.",
        "as /hitpoint/session",
        (Argument("path", "path", f"{PATH} for the session; left open, FILM-score/cue.hitpoint beside the film"), *MUSIC),
    ),
    Address(
        "/hitpoint/score",
        "Compose every scene; a film that has no session yet gets one.",
        JOB,
        (Argument("path", "path", f"{PATH} for a new session of the open film"), SEED, *MUSIC),
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
            FEATURES,
            PROVIDER,
        ),
    ),
    Address(
        "/hitpoint/scene/again",
        "Compose a take again from its recipe, change nothing, and say what differs.",
        f"{JOB}; its result says whether the notes are the same",
        (SCENE, whole("take", "the chosen one"), PROVIDER, FEATURES),
    ),
    Address(
        "/hitpoint/scene/take",
        "Let another take of a scene be heard.",
        "the scene's takes",
        (SCENE, whole("take", "its number; 0 silences the scene", needed=True, low=0)),
    ),
    Address(
        "/hitpoint/scene/rate",
        "Rate a take.",
        "the scene's takes",
        (SCENE, whole("rating", "1 to 5; 0 takes it back", needed=True, low=0, high=5), whole("take", "the chosen one")),
    ),
    Address(
        "/hitpoint/scene/remark",
        "Name or annotate a take.",
        "the scene's takes",
        (
            SCENE,
            Argument("name", "text", "its name"),
            Argument("remark", "text", "a remark"),
            whole("take", "the chosen one"),
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
        (SCENE, whole("take", "its number", needed=True)),
    ),
    Address("/hitpoint/scene/join", "Make one scene of a scene and the next.", "the scenes", (SCENE,)),
    Address(
        "/hitpoint/split", "Begin a scene at a bar of the cue.", "the scenes", (whole("bar", "counted from 1", needed=True),)
    ),
    Address(
        "/hitpoint/tell",
        "Say something of the cue, a scene or a bar of it.",
        "the brief's words there",
        (
            Argument("setting", "text", "density energy mood register key chords metre tempo avoid sting theme", needed=True),
            Argument(
                "value",
                "text",
                "as in the brief sheet: 4, calm, D:min, 80-96, true, of a theme 1 or none; left open, it is taken back",
            ),
            whole("scene", "left open, the whole cue"),
            whole("bar", "of the cue"),
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
    Address(
        "/hitpoint/close",
        "Save and close the session.",
        "what is open still",
        (Argument("film", "flag", "the film as well"),),
    ),
    Address(
        "/hitpoint/conform/look",
        "What a new cut would do to the session; nothing is changed.",
        JOB,
        (
            Argument("cuts", "path", f"{PATH} of the new cut list"),
            Argument("film", "path", f"{PATH} of the new film"),
            RATE,
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
        (Argument("refused", "text", "changes, by number and spaces, for which nothing is composed"), PROVIDER),
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
        (FRAME, whole("to", "the other frame", needed=True, low=0, high=10**9)),
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
        "/hitpoint/cue/spot",
        "Tempo maps for the session as its hits are now; nothing is changed.",
        f"{JOB}; its result are they",
        (TEMPO, BEND, METRES, SUBDIVISION),
    ),
    Address(
        "/hitpoint/cue/map",
        "Put the cue on another of these tempo maps.",
        "the scenes",
        (whole("map", "its place in the list, from 0", needed=True, low=0),),
    ),
    Address(
        "/hitpoint/lock",
        "Lock bars: their beats stay where they are when the cue is spotted again.",
        "what was done",
        (Argument("bars", "text", "of the cue: 5-8", needed=True), Argument("locked", "flag", "false unlocks them")),
    ),
    *OUTSIDE,
    *DAW,
    Address("/hitpoint/job/cancel", "Stop a job within a step.", "its state", (whole("job", "its number", needed=True),)),
    Address("/hitpoint/jobs/cancel", "Stop every job.", "all jobs"),
    Address("/hitpoint/subscribe", "Be told of everything that changes.", "for how long", wire="osc", changes=False),
    Address("/hitpoint/unsubscribe", "No longer.", "nothing", wire="osc", changes=False),
)

BY_ADDRESS: Mapping[str, Address] = {row.address: row for row in ASKED}
