# SPDX-License-Identifier: Apache-2.0
"""Boots of the default cell: how each end of a host looks from outside. About 4 s a boot."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.errors import AssayError
from assay.frames import Bye, End, FrameParser, Hello, Log, Noise, Out, Start
from assay.lab import DEFAULT_CELL, LabCell, boot
from assay.lab.boot import QUIET_S
from assay.lab.qemu import Qemu, find_qemu
from assay.lab.sshhost import ssh_host
from assay.paths import BUNDLE, ROOT


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    """Init, agent, and a unit that does what it is told."""
    unit = ROOT / "out/build/lab/tests/unit"
    subprocess.run(["make", "-s", *(str(p.relative_to(ROOT)) for p in (BUNDLE / "init", BUNDLE / "agent", unit))],
                   cwd=ROOT, check=True)
    folder = tmp_path_factory.mktemp("bundle")
    for path in (BUNDLE / "init", BUNDLE / "agent", unit):
        shutil.copy(path, folder / path.name)
    return folder


@pytest.fixture(scope="session")
def cell():
    """The default one."""
    return LabCell.load(DEFAULT_CELL)


def job(*units, limit=20000):
    return "".join(f"run\t{i}-{u.split()[0]}\t{limit}\tunit\t" + "\t".join(u.split()) + "\n" for i, u in enumerate(units))


def run(cell, bundle, text, **how):
    parser = FrameParser()
    with boot(cell, bundle, text, **how) as host:
        events = list(parser.feed_all(host.lines()))
        return events, host.wait()


def ends(events):
    return {e.id: e for e in events if isinstance(e, End)}


def out(events, uid):
    return [e.text for e in events if isinstance(e, Out) and e.id == uid]


def test_a_whole_job(cell, bundle):
    parser = FrameParser()
    events = []
    text = job(
        "hello", "log", "taint", "console", "cat /proc/cmdline", "eat", "cat /proc/sys/kernel/random/boot_id",
        "cat /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
    with boot(cell, bundle, text) as host:
        for line in host.lines():
            events += parser.feed(line)
            # how long the host may be silent: as long as the unit may run, and a margin
            if b" start " in line:
                assert host._patience == cell.time_scale * (20 + QUIET_S)
            if b" end " in line:
                assert host._patience == cell.time_scale * QUIET_S
        outcome = host.wait()
    # measured 2.8 s on two quiet cores, wanted below 6; a loaded machine is no failure of ours
    print(f"first frame after {outcome.first_frame_s:.2f} s, all after {outcome.seconds:.2f} s")
    assert 0 < outcome.first_frame_s < 60
    assert (outcome.kind, outcome.good) == ("powered-off", True), outcome
    hello = events[0]
    assert isinstance(hello, Hello) and hello.words["kvm"] == "yes" and hello.words["kmsg"] == "yes"
    assert hello.words["release"].startswith("6.12.") and hello.words["page"] == "4096" and hello.words["cpus"] == "2"
    done = ends(events)
    assert len(done) == 8 and isinstance([e for e in events if not isinstance(e, Noise)][-1], Bye)
    assert done["0-hello"].exit == 0 and done["0-hello"].taint == 0
    assert any(e.id == "1-log" and "sysrq: HELP" in e.text for e in events if isinstance(e, Log))
    assert done["2-taint"].taint == 64
    # noise without a newline costs no frame
    assert any(isinstance(e, Noise) and e.text == "half a line of noise " for e in events)
    assert done["3-console"].exit == 0
    assert "oops=panic" in out(events, "4-cat")[1]
    # out of memory: the unit goes, the agent stays
    assert done["5-eat"].signal == signal.SIGKILL
    assert any("Out of memory" in e.text for e in events if isinstance(e, Log) and e.id == "5-eat")
    assert out(events, "7-cat")[1:] == [str(cell.hugepages["2048"])]


def test_a_crash(cell, bundle):
    events, outcome = run(cell, bundle, job("hello", "crash", "never"))
    assert outcome.kind == "panic", outcome
    assert "sysrq" in "\n".join(outcome.noise) and "Call trace" in "\n".join(outcome.noise)
    assert list(ends(events)) == ["0-hello"]
    assert [e.id for e in events if isinstance(e, Start)] == ["0-hello", "1-crash"]


@pytest.mark.parametrize(("what", "detail"), [
    ("reset", "guest-reset"), ("power-off", "powered off before the job was done")])
def test_an_end_before_the_jobs(cell, bundle, what, detail):
    events, outcome = run(cell, bundle, job(what, "never"))
    assert outcome.kind == "reset" and detail in outcome.detail, outcome
    assert ends(events) == {}


def test_an_agent_that_is_killed(cell, bundle):
    events, outcome = run(cell, bundle, job("kill-agent", "never"))
    assert outcome.kind == "reset" and ends(events) == {}
    assert any("agent was killed by signal 9" in line for line in outcome.noise)


def test_a_hang(cell, bundle):
    started = time.monotonic()
    with boot(cell, bundle, job("stop-agent", "never", limit=100)) as host:
        for line in host.lines():
            if b" start " in line:
                host.allow(2)  # real limits would take a minute here
        outcome = host.wait()
    assert outcome.kind == "hang" and "no frame for 2 s" in outcome.detail, outcome
    assert "CPU 0: PC 0x" in outcome.detail and "CPU 1: PC 0x" in outcome.detail
    assert time.monotonic() - started < 60


def test_a_host_that_is_killed(cell, bundle):
    with boot(cell, bundle, job("hello")) as host:
        os.kill(host.pid, signal.SIGKILL)
        outcome = host.wait()
    assert (outcome.kind, outcome.detail) == ("killed", "QEMU was killed by SIGKILL")


def test_leaving_early_ends_the_host(cell, bundle):
    with boot(cell, bundle, job("hello")) as host:
        pid = host.pid
        next(host.lines())
    assert host.wait().kind == "killed"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_qemu_does_not_outlive_its_parent(cell, bundle):
    script = (f"import sys; sys.path.insert(0, {str(ROOT / 'runner')!r})\n"
              "from pathlib import Path\nfrom assay.lab import LabCell, boot\n"
              f"h = boot(LabCell.load({cell.name!r}), Path({str(bundle)!r}), {job('eat')!r})\n"
              "print(h.pid, flush=True)\nimport time; time.sleep(60)")
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    qemu = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    for _ in range(100):
        try:
            if Path(f"/proc/{qemu}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except OSError:
            return
        time.sleep(0.05)
    os.kill(qemu, signal.SIGKILL)
    pytest.fail("QEMU lives on")


def test_a_kernel_that_does_not_boot(cell, bundle, tmp_path, monkeypatch):
    qemu = find_qemu()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    image = tmp_path / "Image"
    # an endless loop (`b .`) with the header of an Image
    image.write_bytes(b"\x00\x00\x00\x14" + bytes(0x34) + b"ARM\x64" + bytes(0x1000))
    with boot(cell, bundle, job("hello"), qemu=qemu, kernel=image) as host:
        host.allow(2)
        outcome = host.wait()
    assert outcome.kind == "hang" and outcome.first_frame_s is None


def test_a_qemu_that_fails(cell, bundle, tmp_path):
    path = tmp_path / "qemu"
    path.write_text("#!/bin/sh\necho 'qemu: something is wrong' >&2\nexit 3\n")
    path.chmod(0o755)
    with boot(cell, bundle, job("hello"), qemu=Qemu((str(path),), str(path), (10, 0), "user")) as host:
        outcome = host.wait()
    assert (outcome.kind, outcome.detail) == ("failed", "QEMU ended with status 3: qemu: something is wrong")
    with pytest.raises(AssayError, match="cannot be started"):
        boot(cell, bundle, "", qemu=Qemu(("/nope",), "/nope", (10, 0), "user"))


def test_a_bundle_without_init(cell, tmp_path):
    with pytest.raises(AssayError, match="run `make build`"):
        boot(cell, tmp_path, "")


def test_the_ssh_host(bundle):
    with ssh_host(bundle) as server:
        def ssh(command, **how):
            return subprocess.run(["ssh", "-F", server.config, "lab", command], capture_output=True, timeout=60,
                                  check=False, **how)

        assert ssh("uname -m; test -c /dev/kvm && echo kvm").stdout.split() == [b"aarch64", b"kvm"]
        assert ssh("exit 7").returncode == 7
        assert ssh("cat > /tmp/agent && chmod +x /tmp/agent", input=(bundle / "agent").read_bytes()).returncode == 0
        done = ssh("/tmp/agent -", input=b"run\ta\t9000\t/bin/sh\t-c\techo over ssh\n")
        events = list(FrameParser().feed_all(done.stdout.split(b"\n")))
        assert out(events, "a") == ["over ssh"] and ends(events)["a"].exit == 0
        # without the key there is no way in
        options = [word for word in server.options if "IdentityFile" not in word and word != "-o"]
        refused = subprocess.run(["ssh", *(w for o in options for w in ("-o", o)), server.destination, "true"],
                                 capture_output=True, timeout=60, check=False)
        assert refused.returncode == 255 and b"Permission denied" in refused.stderr
        pid = server.machine.pid
    assert not Path(f"/proc/{pid}").exists()
