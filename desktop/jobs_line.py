"""The line at the bottom: what is being worked on, how far it is and how long it takes yet, and one button that stops it."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QProgressBar, QToolButton, QWidget

from bridge.jobs import JobReading
from desktop import theme
from desktop.eliding import Elided
from desktop.language import act, is_another, words

tr = words("jobs")
FINE = 1000
"""Steps of the progress bar."""


class JobsLine(QWidget):
    """Shows the job that works longest; the others wait in the number beside it."""

    cancelled = pyqtSignal(int)  # the number of the job that shall stop

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs: dict[int, JobReading] = {}
        self._text = Elided(self, 80)
        self._bar = QProgressBar(self)
        self._bar.setMaximumWidth(180)
        self._bar.setTextVisible(False)
        self._stop = QToolButton(self)
        self._stop.clicked.connect(self.cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.GAP, 2, theme.GAP, 2)
        for part in (self._text, self._bar, self._stop):
            row.addWidget(part)
        self.speak()

    def speak(self) -> None:
        """Says everything again, in the language that the window speaks now."""
        self._bar.setAccessibleName(tr("Progress"))
        self._stop.setText(tr("Cancel"))
        self._stop.setToolTip(tr("Stop what is being worked on (Ctrl+.)"))
        self._tell()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  Qt's name
        if is_another(event):
            self.speak()
        super().changeEvent(event)

    @property
    def current(self) -> JobReading | None:
        """The job that is shown."""
        working = [job for job in self._jobs.values() if job.state == "working"]
        return next(iter(working), next(iter(self._jobs.values()), None))

    def show_job(self, reading: JobReading) -> None:
        """Takes how a job stands."""
        if reading.ended:
            self._jobs.pop(reading.number, None)
        else:
            self._jobs[reading.number] = reading
        self._tell()

    def cancel(self) -> None:
        """Asks for the end of the job that is shown."""
        if self.current is not None:
            self.cancelled.emit(self.current.number)

    def _tell(self) -> None:
        job = self.current
        self.setVisible(job is not None)
        if job is None:
            return
        text = act(job.sentence)
        if job.state == "waiting":
            text = tr("{}: waits").format(text)
        elif job.left is not None and job.left >= 1:
            text = tr("{}: {} s left").format(text, round(job.left))
        if len(self._jobs) > 1:
            text += "   " + tr("+%n more", n=len(self._jobs) - 1)
        self._text.setText(text)
        self._bar.setRange(0, FINE if job.total else 0)
        if job.total:
            self._bar.setValue(round(FINE * min(1.0, job.done / job.total)))
