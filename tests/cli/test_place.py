"""Where the daemon is looked for."""

from pathlib import Path

import pytest

from cabinet.cli import place
from cabinet.cli.errors import BadInputError
from tests.cli.conftest import Cli
from tests.support.fake_control import FakeControl


def config(folder: Path, text: str) -> Path:
    path = folder / "cabinet.toml"
    path.write_text(text)
    return path


def test_the_socket_option_wins_over_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CABINET_SOCKET", "/env.sock")
    named = config(tmp_path, '[cabinet]\nsocket = "/named.sock"')
    assert place.socket_of(named, Path("/option.sock")) == Path("/option.sock")


def test_the_config_option_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CABINET_SOCKET", "/env.sock")
    assert place.socket_of(config(tmp_path, '[cabinet]\nsocket = "/named.sock"'), None) == Path("/named.sock")


def test_the_environments_socket_wins_over_its_config(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CABINET_SOCKET", "/env.sock")
    monkeypatch.setenv("CABINET_CONFIG", "/not/there.toml")
    assert place.socket_of(None, None) == Path("/env.sock")


def test_the_environments_config_names_the_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CABINET_CONFIG", str(config(tmp_path, '[cabinet]\nsocket = "here.sock"')))
    assert place.socket_of(None, None) == tmp_path / "here.sock"


def test_without_a_socket_key_it_is_in_the_data_folder(tmp_path: Path) -> None:
    assert place.socket_of(config(tmp_path, '[cabinet]\ndata_dir = "data"'), None) == tmp_path / "data/control.sock"


def test_the_services_socket_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(place, "CONFIG", tmp_path / "none.toml")
    assert place.socket_of(None, None) == Path("/run/cabinet/control.sock")


def test_the_services_config_is_read_where_its_socket_is_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "SOCKET", tmp_path / "none.sock")
    monkeypatch.setattr(place, "CONFIG", config(tmp_path, '[cabinet]\nsocket = "other.sock"'))
    assert place.socket_of(None, None) == tmp_path / "other.sock"


@pytest.mark.parametrize(
    ("text", "why"),
    [("[cabinet", "is not TOML"), ("cabinet = 3", "names neither"), ("[cabinet]\nsocket = 7", "names neither")],
)
def test_a_config_without_a_socket_is_refused_with_the_file(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=rf"cabinet\.toml: {why}"):
        place.socket_of(config(tmp_path, text), None)


def test_a_config_that_is_not_there_is_a_usage_error(cli: Cli) -> None:
    done = cli("status", "--config", "/not/there.toml")
    assert (done.exit_code, "/not/there.toml: cannot be read" in done.stderr) == (2, True)


def test_a_config_leads_to_the_daemon(cli: Cli, control: FakeControl, tmp_path: Path) -> None:
    named = config(tmp_path, f'[cabinet]\nsocket = "{control.path}"')
    assert cli("outbox", "--config", str(named)).exit_code == 0
