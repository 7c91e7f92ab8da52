"""The rights card, one click away: what a model learned from and under which licences, and which models this cue was made by."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication, QDialog, QDialogButtonBox, QPushButton, QTabWidget, QTextBrowser, QVBoxLayout, QWidget

from desktop.language import words
from desktop.refusals import told
from desktop.theme import current
from engines.errors import ModelError
from engines.runtime import read_card
from engines.session.model import Session
from engines.session.rights import rights
from engines.session.rights_text import rights_text

tr = words("rights")


def card_html(engine: str) -> str:
    """The card of an engine's model as it is in its folder: licences and data first, figures last. What it does not say is said too."""
    try:
        card = read_card(engine)
    except ModelError as error:
        return f"<p>{escape(told(error))}</p>"
    facts = card.facts
    size = facts.get("parameters")
    about = {
        tr("Model"): f"{card.name}, {tr('version')} {facts.get('version', '1')}",
        tr("Architecture"): facts.get("architecture"),
        tr("Parameters"): f"{size:,}" if isinstance(size, int) else None,
        tr("Graph"): f"{card.graph.name}, SHA-256 {card.sha256}",
    }
    parts = [
        _table(tr("Licence"), facts.get("licence")),
        _table(tr("What it learned from"), facts.get("data")),
        _table("", about),
    ]
    parts += [_table(tr("Training"), facts.get("training")), _table(tr("Measured"), facts.get("measured"))]
    return "".join(parts)


def _table(title: str, told: Any) -> str:
    theme = current()
    head = f"<h3 style='color:{theme.dim}; margin-bottom:2px'>{escape(title)}</h3>" if title else ""
    if not told:
        return head + (f"<p>{escape(tr('The card does not say.'))}</p>" if title else "")
    rows = told.items() if isinstance(told, Mapping) else [("", told)]
    left = f"<td style='color:{theme.dim}; padding-right:14px'>"
    named = ((escape(str(name).replace("_", " ")), escape(_value(value))) for name, value in rows if value is not None)
    cells = "".join(f"<tr>{left}{name}</td><td>{value}</td></tr>" for name, value in named)
    return f"{head}<table cellspacing='0' cellpadding='2'>{cells}</table>"


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value(entry)}" for name, entry in value.items())
    return ", ".join(map(_value, value)) if isinstance(value, list | tuple) else str(value)


class RightsCard(QDialog):
    """One page for the engine that would compose next, one for the cue as it is; both can be selected and copied."""

    def __init__(self, engine: str, session: Session | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Rights card"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.model = self._page(tr("Rights card of the model"))
        self.model.setHtml(card_html(engine))
        self.cue = self._page(tr("Rights card of the cue"))
        self.pages = QTabWidget(self)
        self.pages.setDocumentMode(True)
        self.pages.addTab(self.model, tr("The model {}").format(engine))
        if session is not None:
            self.cue.setPlainText(rights_text(f"{session.cue}", rights(session)))
            self.pages.addTab(self.cue, tr("This cue"))
        copy = QPushButton(tr("Copy"), self)
        copy.setToolTip(tr("Copy this page as text"))
        copy.clicked.connect(self.copy)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.pages)
        column.addWidget(buttons)
        self.resize(680, 560)

    def _page(self, name: str) -> QTextBrowser:
        page = QTextBrowser(self)
        page.setAccessibleName(name)
        page.setOpenExternalLinks(False)
        return page

    def copy(self) -> None:
        """Puts the page in view on the clipboard as text."""
        page, clipboard = self.pages.currentWidget(), QApplication.clipboard()
        if isinstance(page, QTextBrowser) and clipboard is not None:
            clipboard.setText(page.toPlainText())
