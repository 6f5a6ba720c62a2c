# SPDX-License-Identifier: Apache-2.0
"""The board against QEMU's: each node and property of the device tree that QEMU describes its virt machine with is in
refvmm's, or stands here with the reason why it is not. About a second; no KVM, no boot."""

import fnmatch
import struct
import subprocess
from pathlib import Path

import pytest

from assay.lab.qemu import find_qemu
from assay.paths import ROOT

REFVMM = ROOT / "out/build/refvmm/native/refvmm"
MACHINES = {
    "gicv3": ("gic-version=3,its=on", "gic-version=3,its=on"),
    "gicv2": ("gic-version=2", "gic-version=2"),
    "lowmem": ("gic-version=3,its=on,highmem=off", "gic-version=3,its=on,highmem=off"),
}

# Node names are free (Devicetree Specification 0.4, 2.2.2): QEMU's, and what the generic name is.
NAMES = {"/intc@8000000/v2m@8020000": "/v2m@8020000", "/intc@8000000": "/interrupt-controller@8000000", "its@8080000": "msi-controller@8080000"}

# Nodes of QEMU's that are left out: a pattern, and why.
NO_NODE = {
    "/platform-bus@c000000": "a bus that devices are plugged into by --device; those of this board are all there from the start",
    "/cpus/cpu-map*": "--smp has no sockets, cores and threads: the refusals sockets=, cores=, threads=",
    "/aliases": "a name for the one serial line, which /chosen/stdout-path gives",
}

# Properties of QEMU's that are left out or differ: pattern of path and name, and why.
OTHER = {
    "/:model": "whose board this is",
    "/:compatible": "the same, more specific first: checked below",
    "/psci:compatible": "PSCI 0.1 (arm,psci) had no standard function numbers and is nobody's here",
    "/psci:cpu_*": "function numbers of PSCI 0.1",
    "/psci:migrate": "function numbers of PSCI 0.1",
    "/cpus/cpu@*:compatible": "KVM's CPU is the host's; QEMU under TCG names its own model",
    "/cpus/cpu@*:phandle": "nobody points at a CPU: there is no cpu-map",
    "/timer:compatible": "arm,armv7-timer is for 32-bit guests",
    "/chosen:kaslr-seed": "a machine's tree is the same byte for byte each time; a guest that wants entropy gets --rng",
    "/chosen:rng-seed": "a machine's tree is the same byte for byte each time; a guest that wants entropy gets --rng",
    "/gpio-keys/poweroff:label": "free text",
    "/interrupt-controller@8000000:reg": "GICv3: QEMU lists the room for redistributors, this board those that are there",
    "*:phandle": "numbers are free: what points at them is compared by path",
}


class Tree:
    """A flattened tree (Devicetree Specification 0.4, chapter 5): path -> {name: bytes}."""

    def __init__(self, blob: bytes) -> None:
        magic, _, at, strings = struct.unpack_from(">4I", blob)
        assert magic == 0xD00DFEED
        self.nodes: dict[str, dict[str, bytes]] = {}
        path: list[str] = []
        while True:
            token, = struct.unpack_from(">I", blob, at)
            at += 4
            if token == 1:
                end = blob.index(b"\0", at)
                path.append(blob[at:end].decode())
                self.nodes["/".join(path) or "/"] = {}
                at = (end + 4) & ~3
            elif token == 2:
                path.pop()
            elif token == 3:
                size, name = struct.unpack_from(">2I", blob, at)
                end = blob.index(b"\0", strings + name)
                self.nodes["/".join(path) or "/"][blob[strings + name:end].decode()] = blob[at + 8:at + 8 + size]
                at = (at + 8 + size + 3) & ~3
            elif token == 9:
                break
        self.phandles = {struct.unpack(">I", node["phandle"])[0]: path for path, node in self.nodes.items()
                         if "phandle" in node}

    def cells(self, path: str, name: str) -> list[int]:
        """A property as 32-bit numbers."""
        data = self.nodes[path][name]
        return list(struct.unpack(f">{len(data) // 4}I", data))


# Properties that are made of phandles (all cells, or those at these places).
POINTERS = {"interrupt-parent": None, "clocks": None, "msi-parent": None, "gpios": (0,), "msi-map": (1,)}


def rename(path: str) -> str:
    """Our path of a node of QEMU's."""
    for theirs, ours in NAMES.items():
        path = path.replace(theirs, ours)
    return path


def value(tree: Tree, path: str, name: str) -> object:
    """What can be compared: phandles by what they point at."""
    data = tree.nodes[path][name]
    if name == "interrupt-map":
        cells, out = tree.cells(path, name), []
        while cells:  # child unit (3), pin, parent, parent's unit (its #address-cells), interrupt (3)
            parent = tree.phandles[cells[4]]
            unit, = struct.unpack(">I", tree.nodes[parent]["#address-cells"])
            out.append((cells[0] >> 11, cells[3], rename(parent), tuple(cells[5 + unit:8 + unit])))
            cells = cells[8 + unit:]
        return sorted(out)
    if name not in POINTERS:
        return data
    places = POINTERS[name]
    return [rename(tree.phandles[c]) if (places is None or i in places) and c in tree.phandles else c
            for i, c in enumerate(tree.cells(path, name))]


def reason(table: dict[str, str], what: str) -> str | None:
    """Why it is left out."""
    return next((why for pattern, why in table.items() if fnmatch.fnmatchcase(what, pattern)), None)


@pytest.fixture(scope="module", params=MACHINES)
def trees(request, tmp_path_factory) -> tuple[Tree, Tree]:
    """QEMU's tree and refvmm's of the same machine."""
    folder = tmp_path_factory.mktemp("dtb")
    theirs, ours = MACHINES[request.param]
    qemu = find_qemu()
    common = ["-smp", "2", "-m", "256M"]
    subprocess.run([*qemu.argv, "-M", f"virt,{theirs},dumpdtb={folder}/qemu", "-cpu", "max", *common, "-display", "none",
                    "-nic", "none"], check=True, capture_output=True, timeout=60)
    subprocess.run(["make", "-s", str(REFVMM.relative_to(ROOT))], cwd=ROOT, check=True)
    subprocess.run([REFVMM, "--machine", ours, "--cpu", "host,pmu=on", *common, "--dump-dtb", folder / "ours"],
                   check=True, capture_output=True, timeout=60)
    return Tree((folder / "qemu").read_bytes()), Tree((folder / "ours").read_bytes())


def test_every_node_of_qemus_board_is_here_or_has_a_reason(trees):
    """One line a node that is neither."""
    qemu, ours = trees
    missing = [path for path in qemu.nodes if rename(path) not in ours.nodes and not reason(NO_NODE, path)]
    assert not missing, "\n".join(missing)


def differences(qemu: Tree, ours: Tree) -> dict[str, str]:
    """PATH:NAME of each property that is missing here or another, and how."""
    out = {}
    for path, node in qemu.nodes.items():
        there = rename(path)
        for name in node if there in ours.nodes else ():
            if name not in ours.nodes[there]:
                out[f"{there}:{name}"] = f"{node[name]!r}, and not here"
            elif value(qemu, path, name) != value(ours, there, name):
                out[f"{there}:{name}"] = f"{value(qemu, path, name)!r}, here {value(ours, there, name)!r}"
    return out


def test_every_property_of_qemus_board_is_the_same_or_has_a_reason(trees):
    """One line a property that is neither."""
    wrong = [f"{what}: {how}" for what, how in differences(*trees).items() if not reason(OTHER, what)]
    assert not wrong, "\n".join(wrong)


def test_no_reason_is_left_over(trees, request):
    """What is excused really differs; a reason for nothing would hide the next difference."""
    if request.node.callspec.params["trees"] != "gicv3":
        pytest.skip("the tables are for all machines, and this one has all of it")
    found = list(differences(*trees))
    assert not [p for p in NO_NODE if not fnmatch.filter(trees[0].nodes, p)]
    assert not [p for p in OTHER if not fnmatch.filter(found, p)]


def test_what_is_here_says_that_it_is_a_virt_board(trees):
    """Linux and firmware know the board by this word."""
    _, ours = trees
    assert ours.nodes["/"]["compatible"].split(b"\0")[:2] == [b"assay,virt-1", b"linux,dummy-virt"]
