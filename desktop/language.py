"""The words of the window in the person's language: Qt's own translation mechanism over a plain table.

Qt's compiled ``.qm`` files need ``lrelease``, which no PyQt6 wheel brings; a table in JSON needs nothing, is read by whoever
translates, and goes through the same `QTranslator`, so that ``QCoreApplication.translate`` and its plurals work everywhere. Each
context is a file ``translations/LANGUAGE/CONTEXT.json`` of its own; English has those alone whose text depends on a count.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from PyQt6.QtCore import QCoreApplication, QEvent, QLibraryInfo, QLocale, QTranslator

TABLES = Path(__file__).parent / "translations"
LANGUAGES = {"en": "English", "zh": "中文"}
"""What is spoken, each in its own words."""
OF_QT = {"zh": "qtbase_zh_CN"}
"""Files of Qt's own, by language; what it says by itself is English."""


class Language(QTranslator):
    """One language: by context, the English text and what it is there; a list holds the forms for one and for many."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code
        self._table = table(code)
        self._of_qt = QTranslator()
        """Qt's own words, on the buttons of its dialogs: they come with it, where they come at all."""
        if code in OF_QT:
            self._of_qt.load(OF_QT[code], QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))

    def translate(  # type: ignore[override]  # Qt takes a null string for "not here"; its stubs do not know
        self, context: str | None, source: str | None, disambiguation: str | None = None, n: int = -1
    ) -> str | None:
        found = self._table.get(context or "", {}).get(source or "")
        if isinstance(found, list):
            found = found[0 if n == 1 else -1]
        if found is None:
            asked = context or "", source or "", disambiguation or ""
            return (self._of_qt.translate(*asked, n) or None) if all(map(str.isascii, asked)) else None  # PyQt would raise
        return found.replace("%n", str(n)) if n >= 0 else found

    def isEmpty(self) -> bool:  # noqa: N802  Qt's name
        return not self._table


@cache
def table(code: str) -> dict[str, dict[str, str | list[str]]]:
    """The words of a language, by context."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((TABLES / code).glob("*.json"))}


def speak(application: QCoreApplication, code: str) -> Language:
    """Lets the program speak a language from now on; Qt tells every window that is open."""
    old = getattr(application, "hitpoint_language", None)
    language = Language(code)
    application.setProperty("language", code)
    QCoreApplication.installTranslator(language)
    application.hitpoint_language = language  # type: ignore[attr-defined]  # Qt keeps no reference of its own
    if old is not None:
        QCoreApplication.removeTranslator(old)
    return language


@contextmanager
def wordless() -> Iterator[None]:
    """While libraries of the system are loaded: Qt says in our words what it did not find, in the middle of that. Python would let other
    threads go on there, and one of them that loads a library waits for this one with the interpreter in its hands: both would stand for
    ever. Something that is no Python answers meanwhile, as one that knows no word."""
    language = getattr(QCoreApplication.instance(), "hitpoint_language", None)
    if language is not None:
        language.translate = sys.audit  # takes any words, and gives None
    try:
        yield
    finally:
        if language is not None:
            del language.translate


def is_another(event: QEvent | None) -> bool:
    """Whether an event tells a widget that the window speaks another language from now on."""
    return event is not None and event.type() == QEvent.Type.LanguageChange


def current() -> str:
    """The code of the language that the window speaks."""
    application = QCoreApplication.instance()
    return str((application.property("language") if application is not None else None) or "en")


def spoken(choice: str = "system") -> str:
    """The language of a choice; ``system`` is the person's own where we have it, else English."""
    if choice in LANGUAGES:
        return choice
    return next((code for code in (name[:2] for name in QLocale.system().uiLanguages()) if code in LANGUAGES), "en")


@cache
def patterns(code: str, context: str, place: str = "(.+?)") -> tuple[tuple[re.Pattern[str], str], ...]:
    """The sentences of a context as patterns: ``Refill scene {}`` has one place for whatever stands there. Those that say most come first:
    ``{} is not in scene {}`` is more than ``{} is not in {}``."""
    ordered = sorted(table(code).get(context, {}).items(), key=lambda row: len(row[0].replace("{}", "")), reverse=True)
    return tuple((re.compile(place.join(map(re.escape, source.split("{}")))), str(target)) for source, target in ordered)


def act(sentence: str, code: str | None = None) -> str:
    """The sentence of an act (`engines.commands` writes it, a session keeps it) in the language of the window."""
    return said_elsewhere(sentence, "acts", code)


def said_elsewhere(sentence: str, context: str, code: str | None = None) -> str:
    """A sentence that was made without the window (an act's, the doctor's) in its language: ``context`` holds the patterns."""
    code = code or current()
    for pattern, target in patterns(code, context):
        if found := pattern.fullmatch(sentence):
            return target.format(*(said_elsewhere(part, context, code) for part in found.groups()))
    return sentence


def words(context: str) -> Callable[..., str]:
    """The function by which a module says its words: ``tr("Open a film")``, ``tr("%n hits", n=3)``."""

    def tr(text: str, n: int = -1) -> str:
        return QCoreApplication.translate(context, text, "", n)

    return tr
