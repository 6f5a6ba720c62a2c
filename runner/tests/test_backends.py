# SPDX-License-Identifier: Apache-2.0
"""Sessions over processes, and the ssh backend against an `ssh` that stays on this machine."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest
from assay.backends import native, ssh
from assay.backends.base import ProcessSession, SessionEnd


def lines_of(session: ProcessSession, most: float = 10.0) -> tuple[list[bytes], str]:
    """Every line, and why it ended."""
    found = []
    until = time.monotonic() + most
    while time.monotonic() < until:
        try:
            line = session.line(0.2)
        except SessionEnd as e:
            return found, str(e)
        if line is not None:
            found.append(line.rstrip(b"\n"))
    raise AssertionError("the session does not end")


def test_lines_feed_and_end():
    found, why = lines_of(ProcessSession(["cat"], feed="one\ntwo"))
    assert found == [b"one", b"two"] and why == "exit status 0"


def test_end_says_status_signal_and_last_words():
    script = "echo nearly >&2; echo last words >&2; exit 3"
    assert lines_of(ProcessSession(["sh", "-c", script]))[1] == "exit status 3: last words"
    assert lines_of(ProcessSession(["sh", "-c", "kill -KILL $$"]))[1] == "SIGKILL"


def test_a_big_job_for_a_program_that_does_not_read_it():
    assert lines_of(ProcessSession(["true"], feed="x" * 10_000_000))[1] == "exit status 0"


def test_kill_ends_the_whole_group_even_with_a_full_queue(tmp_path):
    mark = tmp_path / "pid"
    session = ProcessSession(["sh", "-c", f"sleep 300 & echo $! > {mark}; yes"])
    while not mark.exists() or not mark.read_text().strip():
        time.sleep(0.01)
    time.sleep(0.3)
    began = time.monotonic()
    session.kill()
    assert time.monotonic() - began < 4
    with pytest.raises(ProcessLookupError):
        for _ in range(100):
            os.kill(int(mark.read_text()), 0)
            time.sleep(0.02)


def test_silence_is_none():
    session = ProcessSession(["sleep", "60"])
    assert session.line(0.05) is None
    session.kill()


@pytest.mark.parametrize(("machine", "error", "says"), [
    ("armv7l", None, "KVM for 32-bit hosts ended with Linux 5.7"), ("x86_64", None, "x86_64, not aarch64"),
    ("aarch64", "Permission denied", "group kvm"), ("aarch64", None, None),
])
def test_hosts_that_cannot(machine, error, says):
    found = native.kvm_missing(machine, error, "it")
    assert (found is None) if says is None else (says in found)


FAKE_SSH = """#!/bin/sh
# takes ssh's options, then runs the command here; $FAKE_SSH says how it fails
echo "$@" >> "$FAKE_LOG"
case $FAKE_SSH in
refuse) echo 'ssh: connect to host h port 22: Connection refused' >&2; exit 255 ;;
banner) echo 'Warning: Permanently added h to the list of known hosts.' >&2 ;;
esac
while [ $# -gt 0 ]; do
  case $1 in
  -O) exit 0 ;;
  --) shift 2; break ;;
  -o|-p) shift 2 ;;
  *) shift ;;
  esac
done
PATH=$FAKE_BIN:$PATH exec /bin/sh -c "$1"
"""


@pytest.fixture
def fake_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ssh that connects to this machine, made an aarch64 one with KVM."""
    tools, there = tmp_path / "tools", tmp_path / "there"
    for folder in (tools, there, tmp_path / "tmp"):
        folder.mkdir()
    (tools / "ssh").write_text(FAKE_SSH)
    (there / "uname").write_text("#!/bin/sh\necho ${FAKE_MACHINE:-aarch64}\n")
    (there / "test").write_text("#!/bin/sh\nexit 0\n")
    for program in (tools / "ssh", there / "uname", there / "test"):
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_BIN", str(there))
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    # `test` is a builtin of the shell, so the probe asks the real /dev/kvm; this machine need not have one
    monkeypatch.setattr(ssh, "_PROBE", ssh._PROBE.replace("/dev/kvm", "/dev/null"))
    return tmp_path


def test_ssh_runs_and_leaves_nothing_behind(assay, fake_ssh):
    status, out, err = assay("run", "s.good", "s.bad", "--host", "ssh://root@[fe80::1%eth0]:2222", "--ssh-option",
                             "IdentityFile=/k")
    assert status == 1 and err == "", err
    assert out.splitlines()[-1] == "2 tests: 1 passed, 1 failed, 0 skipped; 1 unexpected"
    log = (fake_ssh / "log").read_text().splitlines()
    assert all(line.startswith("-p 2222 -o IdentityFile=/k -o") for line in log if " -O exit" not in line)
    assert any("root@fe80::1%eth0" in line for line in log)
    assert list((fake_ssh / "tmp").glob("assay*")) == []


def test_ssh_without_tar_on_the_host(assay, fake_ssh, monkeypatch):
    monkeypatch.setattr(ssh, "_PROBE", ssh._PROBE.replace("command -v tar", "command -v no-such-tar"))
    status, _, err = assay("run", "s.good", "--host", "ssh://h")
    assert status == 0, err
    assert list((fake_ssh / "tmp").glob("assay*")) == []


@pytest.mark.parametrize(("how", "machine", "says"), [
    ("refuse", "aarch64", "cannot connect to ssh://h: ssh: connect to host h port 22: Connection refused"),
    ("", "x86_64", "ssh://h is x86_64, not aarch64"), ("", "armv7l", "ended with Linux 5.7"),
])
def test_ssh_hosts_that_cannot(assay, fake_ssh, monkeypatch, how, machine, says):
    monkeypatch.setenv("FAKE_SSH", how)
    monkeypatch.setenv("FAKE_MACHINE", machine)
    monkeypatch.setattr(ssh, "kvm_missing", _kvm_missing)
    status, out, err = assay("run", "s.good", "--host", "ssh://h")
    assert status == 2 and len(err.splitlines()) == 1 and says in err, err
    assert list((fake_ssh / "tmp").glob("assay*")) == []


_kvm_missing = native.kvm_missing


def test_ssh_host_without_kvm(assay, fake_ssh, monkeypatch):
    monkeypatch.setattr(ssh, "_PROBE", ssh._PROBE.replace("/dev/null", "/nonexistent/kvm"))
    monkeypatch.setattr(ssh, "kvm_missing", _kvm_missing)
    status, _, err = assay("run", "s.good", "--host", "ssh://h")
    assert status == 2 and "/dev/kvm: No such file or directory" in err


def test_ssh_connection_lost_and_found_again(assay, fake_ssh, bundle, tmp_path):
    agent = bundle / "agent"
    agent.rename(bundle / "agent.real")
    agent.write_text('#!/bin/sh\ncase $1 in --help) exit 0;; esac\n'
                     f'[ -e {tmp_path}/once ] && exec ./agent.real "$@"\ntouch {tmp_path}/once\n'
                     './agent.real "$@" | sed "/end s.good /Q"; echo "Connection reset by peer" >&2; exit 255\n')
    agent.chmod(0o755)
    status, out, err = assay("run", "s.good", "s.good_too", "--host", "ssh://h", "--reconnect", "10")
    assert status == 1, err
    assert "s.good " in out and "Connection reset by peer" in out
    assert out.splitlines()[-1].startswith("2 tests: 1 passed, 0 failed, 0 skipped, 1 error")
    assert list((fake_ssh / "tmp").glob("assay*")) == []


def test_unknown_ssh_client(assay, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir(exist_ok=True)
    status, _, err = assay("run", "s.good", "--host", "ssh://h")
    assert status == 2 and "install openssh-client" in err
    assert list((tmp_path / "tmp").iterdir()) == []


def test_two_ports_of_one_host_are_two_hosts(assay, fake_ssh, tmp_path):
    status, out, err = assay("run", "s.good", "--host", "ssh://h:22", "--host", "ssh://h:23")
    assert status == 0, err
    assert out.splitlines()[-1].startswith("2 tests: 2 passed")
    assert (tmp_path / "out" / "latest" / "results.ktap").read_text().count("# begin s.good on h-2") == 2


def test_unwritable_folder_leaves_nothing_on_the_host(assay, fake_ssh):
    status, _, err = assay("run", "s.good", "--host", "ssh://h", "--out", "/proc/out")
    assert status == 2 and "/proc/out" in err
    assert list((fake_ssh / "tmp").glob("assay*")) == []
