# SPDX-License-Identifier: Apache-2.0
"""The runner against real lab hosts that crash, reset, are killed; and by ssh. Needs a built bundle and the lab."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from assay.paths import BUNDLE, ROOT

ASSAY = str(ROOT / "assay")


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose tests harm their host."""
    if not (BUNDLE / "init").exists():
        pytest.skip("no bundle: run `make build`")
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "host-tests").mkdir()
    for name in ("agent", "init"):
        shutil.copy(BUNDLE / name, folder / name)
    shutil.copy(ROOT / "out/build/runner/hostile", folder / "host-tests" / "hostile")
    return folder


def assay(*argv: str, timeout: float = 240) -> subprocess.CompletedProcess:
    return subprocess.run([ASSAY, *argv], capture_output=True, text=True, timeout=timeout, check=False, cwd=ROOT)


def entries(out: Path) -> dict[str, dict]:
    results = json.loads((out / "latest" / "results.json").read_text())
    return {test["name"]: test for test in results["tests"]}


def test_crashes_are_charged_and_the_run_goes_on(hostile, tmp_path):
    done = assay("run", "--bundle", str(hostile), "--out", str(tmp_path))
    found = entries(tmp_path)
    assert done.returncode == 1, done.stderr
    assert {name: test["verdict"] for name, test in found.items()} == {
        "a_passes": "pass", "b_panics": "error", "c_passes": "pass", "d_resets": "error", "e_taints": "error",
        "f_waits": "error", "g_passes": "pass"}
    assert "the host went down" in found["b_panics"]["reason"]
    said = [line["text"] for line in found["b_panics"]["evidence"]]
    assert any("sysrq: Trigger a crash" in text for text in said) and any("panic+0x" in text for text in said)
    assert "went down" in found["d_resets"]["reason"]
    assert "tainted 0x200" in found["e_taints"]["reason"]
    assert "time limit of" in found["f_waits"]["reason"]
    results = json.loads((tmp_path / "latest" / "results.json").read_text())
    host = results["hosts"][0]
    assert host["boots"] == 3 and host["release"].startswith("6.12")
    assert host["kernel_package"].startswith("linux-image")
    assert results["run"]["qemu"] and results["run"]["first_test_s"] > 0


def started(argv: list[str], out: Path, test: str) -> subprocess.Popen:
    """A run that has come to a test."""
    process = subprocess.Popen([ASSAY, *argv, "--out", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, cwd=ROOT)
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        for stream in out.glob("2*/stream.jsonl"):
            if any('"ev":"start"' in line and test in line for line in stream.read_text().splitlines()):
                return process
        time.sleep(0.1)
    raise AssertionError(f"{test} was not reached: {process.communicate()}")


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(word) for task in tasks for word in (task / "children").read_text().split()]


def test_killed_qemu_is_a_crash(hostile, tmp_path):
    process = started(["run", "hostile.a_passes", "hostile.f_waits", "hostile.g_passes", "--bundle", str(hostile),
                       "--time", "30s"], tmp_path, "f_waits")
    os.kill(children(process.pid)[0], signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1, err
    found = entries(tmp_path)
    assert [found[name]["verdict"] for name in ("a_passes", "f_waits", "g_passes")] == ["pass", "error", "pass"]
    assert "QEMU was killed by SIGKILL" in found["f_waits"]["reason"] and "f_waits" in out


def test_killed_runner_leaves_its_record_and_no_qemu(hostile, tmp_path):
    process = started(["run", "hostile.a_passes", "hostile.f_waits", "--bundle", str(hostile), "--time", "60s"],
                      tmp_path, "f_waits")
    qemu = children(process.pid)[0]
    process.kill()
    process.communicate(timeout=60)
    until = time.monotonic() + 5
    while Path(f"/proc/{qemu}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(f"/proc/{qemu}").exists()
    done = assay("report", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    found = entries(tmp_path)
    assert found["a_passes"]["verdict"] == "pass"
    assert found["f_waits"]["verdict"] == "error" and "interrupted while it ran" in found["f_waits"]["reason"]


def test_by_ssh(hostile, tmp_path):
    from assay.lab.sshhost import ssh_host

    with ssh_host(hostile) as server:
        options = [f"IdentityFile={server.keyfile}", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null",
                   "IdentitiesOnly=yes", "BatchMode=yes"]
        argv = ["--host", server.url, *(word for option in options for word in ("--ssh-option", option))]
        done = assay("run", "hostile.a_passes", "hostile.f_waits", *argv, "--bundle", str(hostile),
                     "--out", str(tmp_path))
        assert done.returncode == 1, done.stderr
        verdicts = {name: test["verdict"] for name, test in entries(tmp_path).items()}
        assert verdicts == {"a_passes": "pass", "f_waits": "error"}
        left = subprocess.run(["ssh", "-F", str(server.config), "lab", "ls /tmp; pidof agent"], capture_output=True,
                              text=True, check=False, timeout=60)
        assert left.stdout.strip() == ""
        # a host that dies is charged to the test, and one that does not come back is said in one line
        done = assay("run", "hostile.a_passes", "hostile.b_panics", "hostile.c_passes", *argv, "--bundle", str(hostile),
                     "--out", str(tmp_path), "--reconnect", "3")
        found = entries(tmp_path)
        assert done.returncode == 1 and found["a_passes"]["verdict"] == "pass"
        assert "went down" in found["b_panics"]["reason"] and "did not come back" in found["c_passes"]["reason"]


if __name__ == "__main__":
    sys.exit(pytest.main([__file__]))
