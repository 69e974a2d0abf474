"""Signals to the runner, and its sudden death: processes end in order, state is kept."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kozmo_runner.stores import open_store
from servers.processes import is_gone

NAME = "tap-counting-to-target-lines"


def _arguments(tap: str, target: str, landed: Any, *more: str) -> list[str]:
    return [
        "run", tap, target, "--tap-config", "rows=100000", "--tap-config", "pause:=0.005",
        "--target-config", f"path={landed.path}", "--report", str(landed.path) + ".report", *more,
    ]  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_stops_cleanly(
    background: Callable[..., Any],
    until: Callable[..., Any],
    tap: str,
    target: str,
    landed: Any,
    number: signal.Signals,
) -> None:
    """Exit code 130, the state of all that arrived, and the next run goes on."""
    running = background(*_arguments(tap, target, landed))
    until(lambda: len(landed.ids) > 25, "no rows arrived")
    children = running.children()
    running.send(number)
    code, out, err = running.end()
    assert code == 130
    assert err.splitlines() == [
        "tap-counting to target-lines",
        "kozmo | WARNING stopping; a second signal kills",
    ]
    assert "interrupted" in out
    assert all(is_gone(pid) for pid in children.values())
    saved = open_store().get(NAME)
    assert saved is not None
    assert saved.status == "interrupted"
    assert 20 <= saved.state["bookmarks"]["numbers"]["id"] <= len(landed.ids)


def test_what_nohup_ignores_stays_ignored(
    background: Callable[..., Any],
    until: Callable[..., Any],
    tap: str,
    target: str,
    landed: Any,
) -> None:
    """A run that was started to outlive its terminal does so."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        running = background(*_arguments(tap, target, landed))
    finally:
        signal.signal(signal.SIGHUP, before)
    until(lambda: len(landed.ids) > 5, "no rows arrived")
    running.send(signal.SIGHUP)
    arrived = len(landed.ids)
    until(lambda: len(landed.ids) > arrived + 50, "the run was stopped")
    running.send(signal.SIGTERM)
    assert running.end()[0] == 130


def test_two_signals_kill(
    background: Callable[..., Any],
    until: Callable[..., Any],
    tap: str,
    target: str,
    landed: Any,
) -> None:
    """Plug-ins that ignore the first one do not hold up the second."""
    running = background(
        *_arguments(tap, target, landed, "--tap-config", "stubborn=true"),
        "--target-config", "stubborn=true", "--target-config", "hang=true",
    )  # fmt: skip
    until(lambda: len(landed.ids) > 5, "no rows arrived")
    running.send(signal.SIGINT)
    until(lambda: "stopping" in running.err, "the first signal was not heard")
    running.send(signal.SIGINT)
    assert running.end()[0] == 130


def test_ctrl_c_in_a_terminal_reaches_the_runner_only(
    background: Callable[..., Any],
    until: Callable[..., Any],
    tap: str,
    target: str,
    landed: Any,
) -> None:
    """A terminal signals its whole foreground group; plug-ins are in sessions of their own."""
    running = background(*_arguments(tap, target, landed))
    until(lambda: len(landed.ids) > 25, "no rows arrived")
    groups = {os.getpgid(pid) for pid in running.children().values()}
    assert len(groups) == 2
    assert running.process.pid not in groups
    os.killpg(running.process.pid, signal.SIGINT)
    assert running.end()[0] == 130


@pytest.mark.parametrize("stubborn", [False, True], ids=["obedient", "stubborn"])
def test_a_runner_that_is_killed_leaves_nothing_running(
    background: Callable[..., Any],
    until: Callable[..., Any],
    tmp_path: Path,
    tap: str,
    target: str,
    landed: Any,
    stubborn: bool,
) -> None:
    """kill -9: plug-ins end, the configuration goes, the state saved so far stays."""
    more = ["--tap-config", "stubborn=true"] if stubborn else []
    running = background(*_arguments(tap, target, landed, *more))
    until(lambda: open_store().get(NAME), "no state was saved")
    children = running.children()
    assert set(children) == {"tap", "target"}
    running.send(signal.SIGKILL)
    until(lambda: all(is_gone(pid) for pid in children.values()), "plug-ins still run")
    until(lambda: not list((tmp_path / "tmp").iterdir()), "configuration is left")
    saved = open_store().get(NAME)
    assert saved is not None
    assert saved.status == "running"


@pytest.mark.parametrize("side", ["tap", "target"])
def test_a_plug_in_that_is_killed_is_blamed(
    background: Callable[..., Any],
    until: Callable[..., Any],
    tap: str,
    target: str,
    landed: Any,
    side: str,
) -> None:
    """kill -9 from outside; what is durable is covered by the state."""
    running = background(*_arguments(tap, target, landed))
    until(lambda: len(landed.ids) > 25, "no rows arrived")
    os.kill(running.children()[side], signal.SIGKILL)
    code, _, err = running.end()
    assert code == 1
    name = {"tap": "tap-counting", "target": "target-lines"}[side]
    assert f"Error: {name} failed (killed by SIGKILL" in err
    assert len(err.splitlines()) <= 7
    saved = open_store().get(NAME)
    assert saved is not None
    assert saved.state["bookmarks"]["numbers"]["id"] >= 20


def test_the_guard_ends_what_would_go_on_for_ever(until: Callable[..., Any]) -> None:
    """Programs that neither read nor write do not notice that the runner is gone."""
    script = (
        "import os\n"
        "from kozmo_runner.workspace import Workspace\n"
        "child = Workspace().spawn(['sleep', '1000'], name='sleep')\n"
        "print(child.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert killed.returncode == -signal.SIGKILL
    until(lambda: is_gone(int(killed.stdout)), "the program lives")


def test_an_interrupt_during_discovery_ends_the_tap(
    background: Callable[..., Any], until: Callable[..., Any], tmp_path: Path, target: str
) -> None:
    """Before anything was piped."""
    script = tmp_path / "tap_slow.py"
    script.write_text(
        "import sys, time\n"
        "if '--help' in sys.argv: print('--discover --catalog --config'); sys.exit()\n"
        f"open({str(tmp_path / 'began')!r}, 'w').close()\n"
        "time.sleep(60)\n"
    )
    running = background("run", str(script), target)
    until(lambda: (tmp_path / "began").exists(), "discovery did not begin")
    running.send(signal.SIGINT)
    assert running.end()[0] == 130


def test_two_runs_of_one_state_exclude_each_other(
    background: Callable[..., Any],
    until: Callable[..., Any],
    tap: str,
    target: str,
    landed: Any,
    run: Any,
    home: Path,
) -> None:
    """The second one says who holds it, and touches nothing; a dead holder holds nothing."""
    running = background(*_arguments(tap, target, landed))
    until(lambda: open_store().get(NAME), "no state was saved")
    again = ["kozmo", "run", tap, target, "--tap-config", "rows=1", "--target-config",
             f"path={landed.path}.other"]  # fmt: skip
    refused = run(again, env={"KOZMO_HOME": str(home)})
    assert refused.code == 1
    lines = refused.err.splitlines()
    assert lines[1] == f"Error: another run uses the state '{NAME}'"
    assert f"process {running.process.pid} on " in lines[2]
    assert " since 20" in lines[2]
    listed = run(["kozmo", "state", "list"], env={"KOZMO_HOME": str(home)})
    assert f"process {running.process.pid}" in listed.out.decode()
    running.send(signal.SIGKILL)
    running.end()
    taken = run(again, env={"KOZMO_HOME": str(home)})
    assert (taken.code, taken.err) == (0, "tap-counting to target-lines\n")
