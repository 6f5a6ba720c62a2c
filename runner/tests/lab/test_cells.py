# SPDX-License-Identifier: Apache-2.0
"""cells.toml and kernels.toml: what stands in the tree is sound, what is wrong is said in one line."""

import re

import pytest

from assay.errors import AssayError
from assay.lab import DEFAULT_CELL, LabCell, load_cells
from assay.lab.boot import command_line, machine
from assay.lab.cells import load_kernels
from assay.lab.qemu import Qemu

KERNELS = '[k]\npackage = "p"\nsuite = "s"\nseries = "6.12"\npage_size = 4\n'
GOOD = """[c]
description = "d"
kernel = "k"
page_size = 4
kvm_mode = "vhe"
cpu = "max"
gic = 3
cpus = 2
memory = 1024
timing = "emulated"
time_scale = 5
has = ["kvm"]
"""


def load(tmp_path, text, kernels=KERNELS):
    (tmp_path / "cells.toml").write_text(text)
    (tmp_path / "kernels.toml").write_text(kernels)
    return load_cells(tmp_path / "cells.toml", tmp_path / "kernels.toml")


def test_the_tree_has_the_cells_that_are_promised():
    cells = load_cells()
    for name in ("k6.12-max", "k6.12-gicv2", "k6.12-n1", "k6.1-max"):
        assert name in cells
    default = cells[DEFAULT_CELL]
    assert (default.kernel, default.kvm_mode, default.cpu, default.gic) == ("debian-6.12", "vhe", "max", 3)
    assert (default.cpus, default.memory, default.page_size) == (2, 1024, 4)
    for cell in cells.values():
        assert cell.timing == "emulated"  # nothing under TCG tells real time
        assert ("gicv3" in cell.has) == (cell.gic >= 3)
        assert ("sve" in cell.has) == (cell.cpu.split(",")[0] in ("max", "a64fx", "neoverse-v1"))
        assert ("hugetlb-2M" in cell.has) == ("2048" in cell.hugepages)


def test_a_good_cell(tmp_path):
    cell = load(tmp_path, GOOD + 'hugepages = {"2048" = 3}\nappend = "x=1"\n')["c"]
    assert cell.hugepages == {"2048": 3} and cell.has == ("kvm",) and cell.limit_s(2) == 10


@pytest.mark.parametrize(("old", "new", "message"), [
    ("gic = 3", "gic = 5", "gic = 5 is none of 2, 3, 4"),
    ("gic = 3", 'gic = "3"', "gic = '3' is of the wrong kind"),
    ("gic = 3\n", "", "the key 'gic' is missing"),
    ("gic = 3", "gik = 3", "unknown key 'gik'; did you mean 'gic'?"),
    ("cpus = 2", "cpus = 0", "cpus = 0 is not from 1 to 64"),
    ("cpus = 2", "cpus = true", "cpus = True is of the wrong kind"),
    ('kernel = "k"', 'kernel = "x"', "kernel 'x' is not in kernels.toml"),
    ("page_size = 4", "page_size = 64", "but the kernel k has 4"),
    ('kvm_mode = "vhe"', 'kvm_mode = "very"', "is none of vhe, nvhe, protected, nested"),
    ('has = ["kvm"]', 'has = ["kvm", "wings"]', "has 'wings', which is none of"),
    ("time_scale = 5", "time_scale = 0", "time_scale = 0 is not from"),
    ("time_scale = 5", 'time_scale = 5\nhugepages = {"2M" = 1}', "wanted a size in KiB and a count"),
    ("time_scale = 5", 'time_scale = 5\nneeds = "new"', "is no version"),
    ('description = "d"', "description = ", "is no valid TOML"),
    ("[c]", "[c", "is no valid TOML"),
    ("[c]", 'top = "x"\n[c]', "[top]: is no table"),
])
def test_a_slip_is_named(tmp_path, old, new, message):
    assert old in GOOD
    with pytest.raises(AssayError) as e:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert message in str(e.value)
    assert "cells.toml" in str(e.value)
    assert "\n" not in str(e.value)
    assert e.value.exit_status == 2


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(AssayError, match="cannot be read: No such file"):
        load_cells(tmp_path / "none.toml")
    (tmp_path / "cells.toml").write_bytes(b"\xff\xfe[c]")
    with pytest.raises(AssayError, match="is no valid TOML"):
        load_cells(tmp_path / "cells.toml")
    with pytest.raises(AssayError, match=re.escape("kernels.toml: [k]: the key 'series' is missing")):
        load(tmp_path, GOOD, KERNELS.replace('series = "6.12"\n', ""))


def test_an_unknown_cell_names_a_near_one():
    with pytest.raises(AssayError, match="there is no cell 'k6.12-gicv9'; did you mean k6.12-gicv2?"):
        LabCell.load("k6.12-gicv9")
    with pytest.raises(AssayError, match="lab list"):
        LabCell.load("zzz")


def test_an_old_qemu_cannot_run_every_cell():
    old = Qemu(("q",), "/q", (7, 2, 9), "user")
    cells = load_cells()
    assert cells[DEFAULT_CELL].available(old) is None
    assert cells["k7.2-nested"].available(old) == "cell k7.2-nested needs QEMU 9.0 or newer, /q is 7.2.9"
    assert cells["k7.2-nested"].available(Qemu(("q",), "/q", (9, 0), "user")) is None


def test_command_line_and_machine(tmp_path):
    cell = load(tmp_path, GOOD.replace('"vhe"', '"nested"')
                + 'hugepages = {"2048" = 3, "1048576" = 1}\nmachine = "mte=on"\nappend = "x=1"\nthp = "never"\n')["c"]
    line = command_line(cell, exec_path="/sbin/x", network="10.0.2.15").split()
    for word in ("kvm-arm.mode=nested", "assay.hugepages=2048:3,1048576:1", "assay.scale=5", "assay.thp=never",
                 "assay.exec=/sbin/x", "assay.net=10.0.2.15", "x=1", "oops=panic", "panic=-1"):
        assert word in line
    assert not any(word.startswith("kvm-arm") for word in command_line(load(tmp_path, GOOD)["c"]).split())
    options = machine(cell)
    assert options[:2] == ["-M", "virt,virtualization=on,gic-version=3,mte=on"]
    assert "-no-reboot" in options


def test_each_kernel_is_used_or_known():
    assert {cell.kernel for cell in load_cells().values()} <= set(load_kernels())


def test_every_cell_that_was_promised():
    cells = load_cells()
    wanted = {"k6.12-16k", "k6.12-64k", "k6.12-64k-a64fx", "k6.12-gicv4", "k6.12-protected", "k6.12-a57", "k6.12-v1",
              "k6.12-uefi", "k6.12-nvhe", "k6.12-a64fx", "k7.2-max", "k7.2-nested"}
    assert wanted <= set(cells)
    assert {cell.page_size for cell in cells.values()} == {4, 16, 64}
    assert {cell.gic for cell in cells.values()} == {2, 3, 4}
    assert {cell.kvm_mode for cell in cells.values()} == {"vhe", "nvhe", "protected", "nested"}
    for cell in cells.values():  # each huge page size that init reserves is one the cell promises, and fits
        for size, count in cell.hugepages.items():
            name = f"{int(size) >> 20}G" if int(size) >> 20 else f"{int(size) >> 10}M"
            assert f"hugetlb-{name}" in cell.has
        assert sum(int(size) * count for size, count in cell.hugepages.items()) <= cell.memory * 1024 // 2


def test_a_server_with_firmware():
    cell = load_cells()["k6.12-uefi"]
    assert "acpi=force" in command_line(cell).split()
    words = machine(cell)
    assert words[words.index("-smbios") + 1].startswith("type=4,current-speed=2600")
    default = load_cells()[DEFAULT_CELL]
    assert "acpi=force" not in command_line(default) and "-smbios" not in machine(default)


@pytest.mark.parametrize(("line", "message"), [
    ('firmware = "bios"', "firmware = 'bios' is none of none, uefi"),
    ('smbios = ["current-speed=1"]', "smbios has 'current-speed=1', which is not of the form type=NUMBER"),
    ('smbios = [4]', "smbios has 4, which is not"),
    ('system = ["Cockpit; ls"]', "system has 'Cockpit; ls', which is not of the form package-name"),
])
def test_a_slip_in_what_starts_the_host(tmp_path, line, message):
    with pytest.raises(AssayError) as e:
        load(tmp_path, GOOD + line + "\n")
    assert message in str(e.value) and "\n" not in str(e.value)


def test_a_kernel_that_is_built(tmp_path):
    source = KERNELS.replace('"p"', '"linux-source-6.12"')
    load(tmp_path, GOOD, source + 'options = ["CONFIG_ARM64_64K_PAGES=y"]\n')
    with pytest.raises(AssayError, match="options has '64K', which is not of the form CONFIG_WORD=y"):
        load(tmp_path, GOOD, source + 'options = ["64K"]\n')
    with pytest.raises(AssayError, match=r"options are for a kernel built here, of linux-source-\*"):
        load(tmp_path, GOOD, KERNELS + 'options = ["CONFIG_SMP=y"]\n')
    assert load_kernels()["built-6.12-64k"].built and not load_kernels()["debian-6.12"].built
