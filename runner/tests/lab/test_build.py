# SPDX-License-Identifier: Apache-2.0
"""The lab's own kernels, as far as that needs neither network nor minutes: a small makefile stands for the kernel's."""

import argparse
import dataclasses
import tarfile
import time
from pathlib import Path

import pytest

from assay.cli import make_parser
from assay.errors import AssayError
from assay.lab import build, cache, commands, kernels, source
from assay.lab.boot import _guest_kernels
from assay.lab.cells import Kernel, load_cells
from assay.lab.source import Source

KERNEL = Kernel("own", "linux-source-6.12", "s", "6.12", 64, ("CONFIG_A=y",))

# allnoconfig takes over what it is given but CONFIG_LOST; Image is an ARM64 image header.
MAKEFILE = r"""
allnoconfig:
	grep -v LOST $(KCONFIG_ALLCONFIG) > $(O)/.config
Image:
	test ! -e broken || { echo "x.c:1: error: broken as asked" >&2; exit 1; }
	mkdir -p $(O)/arch/arm64/boot $(O)/include/config
	{ head -c 56 /dev/zero; printf ARMd; } > $(O)/arch/arm64/boot/Image
	echo 6.12.1 > $(O)/include/config/kernel.release
"""


@pytest.fixture(autouse=True)
def tree(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(build, "CONFIG", tmp_path / "kernel.config")
    monkeypatch.setattr(build, "check_tools", lambda: None)
    (tmp_path / "kernel.config").write_text("# a comment\nCONFIG_SMP=y\n")
    made = tmp_path / "tree"
    made.mkdir()
    (made / "Makefile").write_text(MAKEFILE)
    found = Source(made, {"packages": [{"name": "linux-source-6.12", "version": "6.12.1-1"}]})
    monkeypatch.setattr(kernels, "linux_source", lambda *_: found)
    return made


def test_a_kernel_is_built_once_and_recorded(capsys):
    found = kernels.get(KERNEL)
    assert found.image.read_bytes()[56:60] == b"ARM\x64"
    assert found.record["release"] == "6.12.1" and found.record["packages"][0]["version"] == "6.12.1-1"
    assert (found.image.parent / "config").read_text() == "CONFIG_SMP=y\nCONFIG_A=y\n"
    assert not (found.image.parent / "objects").exists()
    assert "building the kernel own from linux-source-6.12 6.12.1-1" in capsys.readouterr().err
    assert kernels.get(KERNEL).record == found.record
    assert "building" not in capsys.readouterr().err


def test_another_configuration_is_another_kernel(tmp_path, capsys):
    first = kernels.get(KERNEL)
    (tmp_path / "kernel.config").write_text("CONFIG_SMP=y\nCONFIG_MORE=y\n")
    again = kernels.get(KERNEL)
    assert again.record["config_sha256"] != first.record["config_sha256"]
    assert capsys.readouterr().err.count("building the kernel") == 2


def test_only_a_kernel_of_todays_configuration_is_there(tmp_path):
    assert kernels.cached(KERNEL) is None
    made = kernels.get(KERNEL)
    assert kernels.cached(KERNEL) == made
    (tmp_path / "kernel.config").write_text("CONFIG_SMP=y\nCONFIG_MORE=y\n")
    assert kernels.cached(KERNEL) is None


def test_no_guest_kernel_is_built_in_the_middle_of_a_run(capsys):
    cell = dataclasses.replace(load_cells()["guests-gicv3"], guests=("own",))
    assert _guest_kernels(cell, {"own": KERNEL}) == {}
    assert "kernel own is not built yet; `./assay lab fetch guests-gicv3` builds it" in capsys.readouterr().err
    made = kernels.get(KERNEL)
    assert _guest_kernels(cell, {"own": KERNEL}) == {"own": made}


def test_a_fetch_brings_the_kernels_of_guests(monkeypatch):
    asked = []
    monkeypatch.setattr(commands.arm64, "libraries", lambda: None)
    monkeypatch.setattr(commands, "find_qemu", lambda: None)
    monkeypatch.setattr(commands.kernels, "get", lambda kernel, refresh: asked.append(kernel.name))
    commands.fetch(["guests-64k", "k6.12-max"])
    assert sorted(asked) == ["built-6.12-64k", "debian-6.12", "debian-6.12-16k"]


def test_a_word_the_kernel_does_not_take_over(tmp_path):
    (tmp_path / "kernel.config").write_text("CONFIG_LOST=y\nCONFIG_SMP=y\n")
    with pytest.raises(AssayError, match="does not take over CONFIG_LOST=y; correct kernel.config") as e:
        kernels.get(KERNEL)
    assert "\n" not in str(e.value)


def test_a_build_that_fails_says_the_first_error_and_keeps_the_log(tree):
    (tree / "broken").touch()
    with pytest.raises(AssayError, match="kernel own: .*x.c:1: error: broken as asked; its log is ") as e:
        kernels.get(KERNEL)
    assert "broken as asked" in (cache.root() / "kernels/own.log").read_text() and "\n" not in str(e.value)
    (tree / "broken").unlink()
    assert kernels.get(KERNEL).image.exists()


def test_a_build_that_takes_too_long_ends_with_all_its_processes(tree, tmp_path, monkeypatch):
    (tree / "Makefile").write_text(f"allnoconfig:\n\t$(MAKE) below\nbelow:\n\techo $$$$ > {tmp_path}/pid; exec sleep 60\n")
    monkeypatch.setenv(build.LIMIT, "1")
    with pytest.raises(AssayError, match="kernel own: the kernel's build took longer than 1 s; `./assay lab fetch`"):
        kernels.get(KERNEL)
    stat = Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/stat")
    deadline = time.monotonic() + 10
    while stat.exists() and ") Z" not in stat.read_text() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not stat.exists() or ") Z" in stat.read_text()


def test_another_series_is_refused():
    with pytest.raises(AssayError, match="has 6.12.1-1 now, not 6.1; correct suite or series"):
        kernels.get(Kernel("own", "linux-source-6.12", "s", "6.1", 64))


def test_missing_tools_are_named(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(build.shutil, "which", lambda tool: None if tool in ("flex", "bc") else f"/usr/bin/{tool}")
    with pytest.raises(AssayError, match="are missing: bc flex; `lab/setup.sh kernel` installs them"):
        build.check_tools()


def test_the_source_is_unpacked_without_its_first_folder(tmp_path):
    files = tmp_path / "files"
    (files / "usr/src").mkdir(parents=True)
    with pytest.raises(AssayError, match=r"holds no usr/src/linux-source"):
        source._untar("p", files, tmp_path / "no")
    inside = tmp_path / "linux-source-6.12"
    for name in ("Kconfig", "drivers/gpu/drm/amd/include/asic_reg/big.h"):
        (inside / name).parent.mkdir(parents=True, exist_ok=True)
        (inside / name).write_text("x")
    with tarfile.open(files / "usr/src/linux-source-6.12.tar.xz", "w:xz") as tar:
        tar.add(inside, "linux-source-6.12")
    source._untar("p", files, tmp_path / "out")
    assert (tmp_path / "out/Kconfig").exists()
    assert not (tmp_path / "out/drivers/gpu/drm/amd/include/asic_reg").exists()


def test_a_sweep_is_a_run_of_cells():
    parser = argparse.ArgumentParser()
    commands.add_parser(parser.add_subparsers())
    args = parser.parse_args(["lab", "sweep", "k6.12-*", "k7.2-max", "-j", "3", "--tests", "gic.*", "--counts",
                              "--time", "8h"])
    words = commands.sweep_words(args)
    made = make_parser(lab=False).parse_args(words)
    assert (made.cell, made.tests, made.jobs, made.counts) == (["k6.12-*", "k7.2-max"], ["gic.*"], 3, True)
    assert made.time == 8 * 3600 * 1000
    made = make_parser(lab=False).parse_args(commands.sweep_words(parser.parse_args(["lab", "sweep"])))
    assert (made.jobs, made.counts, made.time) == (2, False, 1000)
    assert made.cell == [name for name, cell in load_cells().items() if not cell.guests], "those are for one program"
