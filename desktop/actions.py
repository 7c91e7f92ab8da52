"""Everything that keys and menus do, as one table: where it stands, what it is called, its keys, and what it says on hovering."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtGui import QAction, QActionGroup, QKeySequence
from PyQt6.QtWidgets import QMainWindow, QMenu

from desktop.language import words

tr = words("actions")


@dataclass(frozen=True)
class Item:
    """One row. ``menu`` is a key of `menus`; ``keys`` in Qt's portable words, the first is the one that menus show; ``tip`` is one
    sentence; ``line`` draws a line above it; ``checks`` makes it a switch. Rows of one ``group``, a key of `groups`, stand in a menu of
    their own, and one of them is chosen. Where ``dock`` is the name of a dock, its panel has a method
    of the row's name, and ``raises`` brings that dock to the front first."""

    name: str
    menu: str
    text: str
    keys: tuple[str, ...] = ()
    tip: str = ""
    line: bool = False
    checks: bool = False
    group: str = ""
    dock: str = ""
    raises: bool = True


def menus() -> dict[str, str]:
    """The menus by key, in their order."""
    return {
        "file": tr("&File"),
        "edit": tr("&Edit"),
        "transport": tr("&Transport"),
        "hits": tr("&Hits"),
        "music": tr("&Music"),
        "view": tr("&View"),
        "help": tr("&Help"),
    }


def groups() -> dict[str, str]:
    """The menus within menus, by key."""
    return {"built_in": tr("Built-&in sound")}


def items() -> tuple[Item, ...]:
    """What the window and its docks do, in the order of the menus; a dock need not have been opened."""
    return (
        Item("open", "file", tr("&Open…"), ("Ctrl+O",), tr("Open a film, a session, a cut list or a MIDI file")),
        Item("demo", "file", tr("Open the &demo film"), (), tr("A short film of our own, to try everything on")),
        Item("save", "file", tr("&Save"), ("Ctrl+S",), tr("Save now, and say where; every act is saved anyway")),
        Item("save_as", "file", tr("Save session &as…"), ("Ctrl+Shift+S",),
             tr("Go on in another file; every act is saved anyway")),
        Item("relink", "file", tr("&Find the film…"), ("Ctrl+Alt+F",),
             tr("Say where the film of this session lies now; for a film that has moved")),
        Item("new_cut", "file", tr("Look at a &new cut…"), ("Ctrl+Alt+O",),
             tr("Compare the session with a new cut; nothing changes yet"), line=True, dock="recut"),
        Item("accept_cut", "file", tr("&Accept what is ticked of the new cut"), ("Ctrl+Alt+Return",),
             tr("Carry the session to the new cut; composes the bars of every ticked change"), dock="recut"),
        Item("deliver", "file", tr("&Deliver…"), ("Ctrl+Alt+D",),
             tr("All of the cue in one folder: MIDI, cue sheet, report, cuts, rights"), line=True),
        Item("place", "file", tr("Place in the DA&W"), ("Ctrl+Alt+P",),
             tr("Put the cue into the DAW that Links names; without one, files to drag in beside the session")),
        Item("preview", "file", tr("Render a &preview…"), (), tr("The music on the film's picture, as a film to look at")),
        Item("cue_sheet", "file", tr("Cue s&heet…"), (), tr("The cue sheet and the spotting notes as a page to print")),
        Item("cuts_out", "file", tr("Write the &cuts…"), (), tr("The cuts as a cut list: .csv, .edl or .otio")),
        Item("click_out", "file", tr("Write a clic&k track…"), (), tr("A click on the tempo map, as MIDI")),
        Item("brief_out", "file", tr("Write the &brief…"), (), tr("The brief of every bar as a text sheet")),
        Item("brief_in", "file", tr("&Read a brief…"), (), tr("A text sheet, edited elsewhere: what it says replaces what was said")),
        Item("close", "file", tr("&Close"), ("Ctrl+W",), tr("Close the session and its film; everything is saved"), line=True),
        Item("quit", "file", tr("&Quit"), ("Ctrl+Q",), tr("Close the window; everything is saved")),
        Item("undo", "edit", tr("&Undo"), ("Ctrl+Z",), tr("Take the last act back, every note of it")),
        Item("redo", "edit", tr("&Redo"), ("Ctrl+Shift+Z", "Ctrl+Y"),
             tr("Do again what was undone last, without composing anew")),
        Item("cue_copy", "edit", tr("Copy the cue as &MIDI"), ("Ctrl+Shift+C",),
             tr("A MIDI file of the whole cue, to be pasted"), dock="takes", raises=False),
        Item("palette", "edit", tr("&Command palette…"), ("Ctrl+Shift+P", "Ctrl+K"),
             tr("Find anything that the window does by its name"), line=True),
        Item("play", "transport", tr("&Play or stop"), ("Space",), tr("Roll at normal speed, or rest on this frame")),
        Item("shuttle_back", "transport", tr("Shuttle &back"), ("J",), tr("Roll backwards; again for twice the speed")),
        Item("stop", "transport", tr("&Stop"), ("K",), tr("Rest on this frame")),
        Item("shuttle_on", "transport", tr("Shuttle &forward"), ("L",), tr("Roll forwards; again for twice the speed")),
        Item("frame_back", "transport", tr("One frame back"), ("Left",), tr("Step one frame back"), line=True),
        Item("frame_on", "transport", tr("One frame on"), ("Right",), tr("Step one frame on")),
        Item("second_back", "transport", tr("One second back"), ("Shift+Left",), tr("Step one second of timecode back")),
        Item("second_on", "transport", tr("One second on"), ("Shift+Right",), tr("Step one second of timecode on")),
        Item("cut_back", "transport", tr("Previous cut"), ("Up",), tr("Go to the cut before")),
        Item("cut_on", "transport", tr("Next cut"), ("Down",), tr("Go to the next cut")),
        Item("to_start", "transport", tr("To the first frame"), ("Home",), tr("Go to the first frame of the film")),
        Item("to_end", "transport", tr("To the last frame"), ("End",), tr("Go to the last frame of the film")),
        Item("music", "transport", tr("Play the &music"), ("Ctrl+M",),
             tr("The music with the picture: by the built-in sound, and out to its MIDI ports"), line=True, checks=True),
        Item("music_louder", "transport", tr("Music louder"), ("Ctrl+Alt+Up",), tr("Turn the built-in sound of the music up")),
        Item("music_softer", "transport", tr("Music softer"), ("Ctrl+Alt+Down",), tr("Turn the built-in sound of the music down")),
        Item("built_in_auto", "transport", tr("Built-in sound: &auto"), ("Ctrl+Alt+B",),
             tr("Sound the music here where no MIDI port that you chose does"), checks=True, group="built_in"),
        Item("built_in_on", "transport", tr("Built-in sound: &on"), (),
             tr("Sound the music here, whatever the MIDI ports do"), checks=True, group="built_in"),
        Item("built_in_off", "transport", tr("Built-in sound: o&ff"), (),
             tr("Leave the music to its MIDI ports"), checks=True, group="built_in"),
        Item("sound", "transport", tr("Hear the &film"), ("Ctrl+Alt+S",),
             tr("The film's own sound with the picture, at normal speed"), line=True, checks=True),
        Item("louder", "transport", tr("Film louder"), ("Ctrl+Shift+Up",), tr("Turn the film's sound up")),
        Item("softer", "transport", tr("Film softer"), ("Ctrl+Shift+Down",), tr("Turn the film's sound down")),
        Item("follow", "transport", tr("Follow the &DAW"), ("Ctrl+D",), tr("Let the DAW's transport lead the picture"),
             line=True, checks=True),
        Item("sound_led", "transport", tr("Hear the film &while the DAW leads"), (),
             tr("Most DAWs play the film's sound themselves; this plays it here too"), checks=True),
        Item("music_led", "transport", tr("Hear the music while the DAW &leads"), (),
             tr("A DAW that has the notes plays them itself; this sounds the takes here too"), checks=True),
        Item("go_to", "transport", tr("&Go to timecode…"), ("Ctrl+G",), tr("Type a timecode or a frame to go to")),
        Item("hit_add", "hits", tr("&Mark a hit here"), ("M",), tr("A new hit point on the frame that is shown")),
        Item("hit_drop", "hits", tr("&Delete the hit"), ("Delete", "Backspace"), tr("Delete the selected hit")),
        Item("hit_heavier", "hits", tr("&Heavier"), ("Ctrl+Up",), tr("Missing this hit shall cost more")),
        Item("hit_lighter", "hits", tr("&Lighter"), ("Ctrl+Down",), tr("Missing this hit shall cost less")),
        Item("hit_hard", "hits", tr("Hard or &soft"), ("H",), tr("A hard hit must have an onset; a soft one may pass")),
        Item("hit_name", "hits", tr("&Name the hit…"), (), tr("Write the name of the selected hit; F2 in the list of hits"),
             dock="hits"),
        Item("hit_back", "hits", tr("Previous hit"), (",",), tr("Go to the hit before and select it"), line=True),
        Item("hit_on", "hits", tr("Next hit"), (".",), tr("Go to the next hit and select it")),
        Item("respot", "hits", tr("Let the tempo &follow the hits"), ("Ctrl+T",),
             tr("Solve the tempo map of this scene again for the hits as they are"), line=True),
        Item("spot_again", "hits", tr("Spot the cue &again"), ("Ctrl+Alt+T",),
             tr("Look for other tempo maps around what is locked"), dock="candidates"),
        Item("lock_bar", "hits", tr("&Lock or unlock the bar"), ("Ctrl+L",),
             tr("Spotting again leaves the beats of the bar under the playhead alone"), dock="candidates", raises=False),
        Item("listen", "hits", tr("Hear candidates"), ("Ctrl+Alt+H",),
             tr("While the mouse is on a tempo map, roll the picture with its click"), dock="candidates"),
        Item("score", "music", tr("&Score it"), ("Ctrl+Return",), tr("Compose every scene of this film")),
        Item("refill", "music", tr("&Refill the scene"), ("Return", "Enter"),
             tr("Compose the scene under the playhead again, keeping what is kept")),
        Item("refill_all", "music", tr("Refill &all scenes"), (), tr("Compose every scene again, but for what is kept")),
        Item("split", "music", tr("S&plit the scene here"), ("Ctrl+E",),
             tr("Let a new scene begin at the bar under the playhead")),
        Item("join", "music", tr("&Join with the next scene"), ("Ctrl+J",), tr("Make one scene of this one and the next")),
        Item("take_keep", "music", tr("&Keep the scene or stem"), ("Shift+K",),
             tr("What is kept is never composed again"), line=True, dock="takes", raises=False),
        Item("take_on", "music", tr("Next take"), ("]",), tr("Hear the next take of the scene"), dock="takes", raises=False),
        Item("take_back", "music", tr("Previous take"), ("[",), tr("Hear the take before"), dock="takes", raises=False),
        Item("take_swap", "music", tr("A or B"), ("X",), tr("Back and forth between the last two takes"),
             dock="takes", raises=False),
        Item("take_name", "music", tr("&Name the scene…"), (), tr("Give the scene a name"), dock="takes", raises=False),
        Item("cancel", "music", tr("&Cancel the work"), ("Ctrl+.",),
             tr("Stop what is being worked on; nothing half-done is left"), line=True),
        Item("zoom_in", "view", tr("Zoom &in"), ("Ctrl++", "Ctrl+=", "+", "="), tr("See less of the timeline, larger")),
        Item("zoom_out", "view", tr("Zoom &out"), ("Ctrl+-", "-"), tr("See more of the timeline, smaller")),
        Item("zoom_fit", "view", tr("Zoom to &fit"), ("Ctrl+0", "F"), tr("See the whole film on the timeline")),
        Item("streamers", "view", tr("&Streamers and punches"), ("Ctrl+Shift+M",),
             tr("Lines that run two seconds ahead of every hard hit, and a punch on it"), line=True, checks=True),
        Item("burn_in", "view", tr("&Burnt-in timecode"), ("Ctrl+Shift+T",), tr("Show the timecode in the picture"), checks=True),
        Item("full_screen", "view", tr("Picture on &full screen"), ("F11", "Ctrl+F"),
             tr("The picture alone, on the second display where there is one"), checks=True),
        Item("arrange", "view", tr("Docks as at &first"), (), tr("Put every dock back to where it lay at first")),
        Item("light", "view", tr("&Light or dark"), ("Ctrl+Shift+L",),
             tr("Change between light and dark; it follows the system until then"), line=True),
        Item("tongue", "view", tr("English / 中文"), (), tr("Change the language of the window, at once")),
        Item("look_around", "help", tr("&Look at every link"), ("F5",),
             tr("Ask every port, DAW and engine how it is"), dock="links"),
        Item("show_rights", "help", tr("&Rights card…"), (), tr("What the model learned from, and under which licences"),
             dock="compose", raises=False),
        Item("keys", "help", tr("&Keys"), ("F1",), tr("Every key on one page")),
        Item("about", "help", tr("&About Hitpoint"), (), tr("Version, licence, and where the log lies")),
    )  # fmt: skip


def plain(text: str) -> str:
    """The name of a row without the sign of its key in the menu: ``&Open…`` and ``打开(&O)…`` alike."""
    return re.sub(r"\(&.\)", "", text).replace("&", "")


class Actions:
    """The actions of one window by name, in its menus and on its keys."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self._by_name: dict[str, QAction] = {}
        self._docks: list[QAction] = []
        self._tips: dict[str, str] = {}
        self.menus: dict[str, QMenu] = {}
        self._groups: dict[str, tuple[QMenu, QActionGroup]] = {}
        bar = window.menuBar()
        assert bar is not None
        for key, title in menus().items():
            menu = bar.addMenu(title)
            assert menu is not None
            menu.setToolTipsVisible(True)
            self.menus[key] = menu

    def __getitem__(self, name: str) -> QAction:
        return self._by_name[name]

    def all(self) -> list[QAction]:
        """All rows of the table, in its order."""
        return list(self._by_name.values())

    def every(self) -> list[QAction]:
        """The same and those of the docks: everything that palette and page of keys tell."""
        return [*self.all(), *self._docks]

    def add_dock(self, action: QAction) -> None:
        """One more row: that of a dock, which names itself."""
        self.menus["view"].addAction(action)
        self._window.addAction(action)
        self._docks.append(action)

    def add(self, item: Item, call: Callable[[], object]) -> QAction:
        """One more row, and what it calls."""
        action = QAction(self._window)
        action.setObjectName(item.name)
        action.setShortcuts([QKeySequence(keys) for keys in item.keys])
        self._name(action, item)
        action.setCheckable(item.checks)
        action.triggered.connect(lambda checked=False: call())
        menu = self.menus[item.menu]
        if item.line:
            menu.addSeparator()
        self._within(item, menu, action).addAction(action)
        self._window.addAction(action)
        self._by_name[item.name] = action
        return action

    def _within(self, item: Item, menu: QMenu, action: QAction) -> QMenu:
        """The menu of a row's group, made with its first row, or the menu itself."""
        if not item.group:
            return menu
        if item.group not in self._groups:
            made = QMenu(groups()[item.group], menu)
            made.setToolTipsVisible(True)
            menu.addMenu(made)
            self._groups[item.group] = made, QActionGroup(made)
        made, one = self._groups[item.group]
        one.addAction(action)
        return made

    def speak(self) -> None:
        """Says everything again, in the language that the window speaks now."""
        for name, (menu, _) in self._groups.items():
            menu.setTitle(groups()[name])
        for key, title in menus().items():
            self.menus[key].setTitle(title)
        for item in items():
            self._name(self._by_name[item.name], item)

    def allow(self, name: str, why_not: str) -> None:
        """Lets a row be done, or greys it out and says on hovering why it cannot be (``why_not``)."""
        action = self._by_name[name]
        action.setEnabled(not why_not)
        action.setToolTip(f"{self._tips[name]}\n{why_not}" if why_not else self._tips[name])

    def _name(self, action: QAction, item: Item) -> None:
        key = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setText(item.text)
        action.setStatusTip(item.tip)
        self._tips[item.name] = f"{item.tip} ({key})" if key and item.tip else item.tip or item.text
        action.setToolTip(self._tips[item.name])
