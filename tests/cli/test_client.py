"""What the client says when the daemon is away, forbidden, silent or strange; and the exit code of each."""

import grp
import socket
from pathlib import Path

import pytest

from cabinet.cli import client as clients
from cabinet.cli.client import Client
from cabinet.cli.errors import BadInputError, NotReachableError, RefusedError
from tests.support.fake_control import FakeControl, Refusal

BOUND_S = 60.0  # only a failure waits so long


def ask(control: FakeControl, op: str = "status", timeout_s: float = BOUND_S) -> dict[str, object]:
    with Client(control.path) as client:
        return client.ask(op, timeout_s=timeout_s)


def test_without_a_socket_the_daemon_is_not_running_and_how_to_start_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotReachableError, match=r"not running \(no socket at .*control.sock\)") as caught:
        Client(tmp_path / "control.sock")
    assert "sudo systemctl start cabinet, or cabinet run --config" in caught.value.remedy


def test_a_socket_left_by_a_killed_daemon_means_not_running(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    left.bind(str(tmp_path / "control.sock"))
    left.close()
    with pytest.raises(NotReachableError, match="not running"):
        Client(tmp_path / "control.sock")


def test_no_permission_names_the_group_to_join(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "control.sock"
    path.touch()

    def forbidden(_: socket.socket, __: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", forbidden)  # root may open everything
    group = grp.getgrgid(path.stat().st_gid).gr_name
    with pytest.raises(NotReachableError, match=f"for the group {group}") as caught:
        Client(path)
    assert f"usermod -aG {group}" in caught.value.remedy


def test_a_path_too_long_for_a_socket_is_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(NotReachableError, match="too long"):
        Client(tmp_path / ("x" * 120))


def test_a_refusal_carries_error_and_remedy(control: FakeControl) -> None:
    control.answers["status"] = Refusal("no", "ask again")
    with pytest.raises(RefusedError, match=r"^no$") as caught:
        ask(control)
    assert caught.value.remedy == "ask again"


@pytest.mark.parametrize(
    "said", [b"hello\n", b"[]\n", b"7\n", b"{}\n", b'{"ok": true}\n', b'{"ok": true, "data": 3}\n', b"\xff\xfe\n"]
)
def test_garbage_instead_of_an_answer_is_no_daemon_of_ours(said: bytes, control: FakeControl) -> None:
    control.answers["status"] = said
    with pytest.raises(NotReachableError, match="not the cabinet's daemon"):
        ask(control)


def test_an_endless_answer_is_cut_off(control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "MAX_LINE", 1 << 18)
    control.answers["status"] = b"x" * (1 << 19)
    with pytest.raises(NotReachableError, match="not the cabinet's daemon"):
        ask(control)


def test_a_silent_daemon_is_given_up_after_the_time(control: FakeControl) -> None:
    control.answers["status"] = lambda _: control.release.wait(BOUND_S) and {}
    with pytest.raises(NotReachableError, match=r"has not answered status within 0\.3 s"):
        ask(control, timeout_s=0.3)


def test_a_wait_is_reported_while_it_lasts(control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "SLICE_S", 0.01)
    control.answers["status"] = lambda _: {"released": control.release.wait(BOUND_S)}
    with Client(control.path) as client:
        assert client.ask("status", waiting=lambda _: control.release.set()) == {"released": True}


def test_an_answer_larger_than_a_packet_arrives_whole(control: FakeControl) -> None:
    control.answers["status"] = {"tar_b64": "A" * (3 << 20)}
    assert ask(control) == control.answers["status"]


def test_a_daemon_that_hangs_up_went_away(control: FakeControl) -> None:
    control.vanish = True
    with Client(control.path) as client:
        client.watch()
        with pytest.raises(NotReachableError, match="went away"):
            client.happening(BOUND_S)


def test_one_connection_serves_several_questions(control: FakeControl) -> None:
    with Client(control.path) as client:
        client.ask("status")
        assert client.ask("outbox") == control.answers["outbox"]


def test_happenings_that_arrive_together_are_told_one_by_one(control: FakeControl) -> None:
    control.happenings = [{"n": 1}, {"n": 2}]
    with Client(control.path) as client:
        client.watch()
        assert [client.happening(BOUND_S), client.happening(BOUND_S)] == control.happenings


def test_a_quiet_second_is_none(control: FakeControl) -> None:
    with Client(control.path) as client:
        client.watch()
        assert client.happening(0.01) is None


def test_a_request_beyond_the_bound_is_not_sent(control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "MAX_LINE", 1 << 10)
    with Client(control.path) as client, pytest.raises(BadInputError, match="the daemon takes"):
        client.ask("members.add", {"photos": ["A" * 2000]})
    assert control.asked == []


def test_a_request_is_one_line_of_json(control: FakeControl) -> None:
    with Client(control.path) as client:
        client.ask("outbox", {"reason": "two\nlines"})
    assert control.asked == [("outbox", {"reason": "two\nlines"})]
