"""A session's music on its picture: the preview, as a sound file and as a film to look at."""

from __future__ import annotations

from pathlib import Path

from engines.files import folder
from engines.picture.mux import mux
from engines.picture.reel import Reel
from engines.score.preview import Synthesiser, render
from engines.session.deliver import write_cue
from engines.session.model import Session
from engines.watch import Watch


def shown(
    session: Session,
    film: Path,
    out: Path,
    watch: Watch,
    mix: float = 0.3,
    soundfont: Path | None = None,
    synthesiser: Synthesiser = "sampler",
) -> dict[str, Path]:
    """Writes ``preview.mid``, ``preview.wav`` (the music alone) and ``preview.mp4`` (on the film's picture, beside its own sound at the
    level ``mix``) into a folder. Raises FilmError, OutputError, OptionError, and Cancelled."""
    reel = Reel.open(film)
    home = folder(out)
    paths = {"midi": home / "preview.mid", "preview_audio": home / "preview.wav", "preview": home / "preview.mp4"}
    with watch.stage("render"):
        write_cue(session, paths["midi"])
        render(paths["midi"], paths["preview_audio"], reel.duration, soundfont, synthesiser)
    with watch.stage("mux") as progress:
        mux(reel, paths["preview_audio"], paths["preview"], mix, progress, watch.cancelled)
    return paths
