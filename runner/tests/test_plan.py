# SPDX-License-Identifier: Apache-2.0
"""Choosing tests, making a job of them, and the words for what does not exist."""

from __future__ import annotations

import pytest
from assay.errors import AssayError
from assay.expect import in_range, kernel_version, load_known
from assay.job import SERIES_MAX, job_text, lanes_of, unit_of
from assay.plan import select
from scripted import make_test

TESTS = [make_test("sgi", "gic", "guest", variant="v2", tags=("smoke",)),
         make_test("sgi", "gic", "guest", variant="v3"), make_test("ppi", "gic", "guest", tags=("slow",)),
         make_test("nmi_is_refused", "nmi", tags=("smoke", "refusal"))]


def ids(*globs: str, tags: tuple[str, ...] = (), exclude: tuple[str, ...] = (), matrix=None,
        slow: bool = False) -> list[str]:
    return [test.id for test in select(TESTS, list(globs), list(tags), list(exclude), matrix, slow)]


def test_selection():
    assert ids(slow=True) == ["gic.sgi@v2", "gic.sgi@v3", "gic.ppi", "nmi.nmi_is_refused"]
    assert ids() == ["gic.sgi@v2", "gic.sgi@v3", "nmi.nmi_is_refused"], "slow tests only when they are wanted"
    assert ids("gic.sgi") == ["gic.sgi@v2", "gic.sgi@v3"]
    assert ids("gic.*@v3") == ["gic.sgi@v3"]
    assert ids("nmi", "gic.ppi") == ["gic.ppi", "nmi.nmi_is_refused"]
    assert ids(tags=("smoke",)) == ["gic.sgi@v2", "nmi.nmi_is_refused"]
    assert ids("gic", tags=("smoke", "slow")) == ["gic.sgi@v2", "gic.ppi"]
    assert ids(exclude=("gic.sgi",)) == ["nmi.nmi_is_refused"]
    assert ids(exclude=("gic.sgi",), slow=True) == ["gic.ppi", "nmi.nmi_is_refused"]
    assert ids(matrix=["nmi.*", "gone.*"]) == ["nmi.nmi_is_refused"]


@pytest.mark.parametrize(("arguments", "says"), [
    ({"globs": ["gic.sgj"]}, "there is no test 'gic.sgj'; close: gic.sgi@v3"),
    ({"globs": ["gci"]}, "there is no test 'gci'; close: gic"),
    ({"globs": ["gic.sgi", "zzz.*"]}, "there is no test 'zzz.*'"),
    ({"tags": ["smok"]}, "there is no tag 'smok'; close: smoke"),
    ({"exclude": ["gic.ppj"]}, "there is no test (--exclude) 'gic.ppj'; close: gic.ppi"),
    ({"globs": ["gic.ppi"], "tags": ["smoke"]}, "no test is left"),
    ({"matrix": []}, "no test is left"),
])
def test_what_does_not_exist(arguments, says):
    values = {"globs": [], "tags": [], "exclude": [], "matrix": None, **arguments}
    with pytest.raises(AssayError) as caught:
        select(TESTS, values["globs"], values["tags"], values["exclude"], values["matrix"])
    assert says in str(caught.value)


def test_job_lines():
    guest = make_test("sgi", "gic", "guest", variant="v2", program="guest-tests/gic.elf",
                      vmm=("--machine", "gic-version=2"))
    host = make_test("x", "nmi", limit_ms=500)
    text = job_text([unit_of(guest, 0x5eed), unit_of(host, 1, 2000)])
    assert text.splitlines() == [
        "run\tgic.sgi@v2\t4000\trefvmm\t--machine\tgic-version=2\t--kernel\tguest-tests/gic.elf\t--append\t"
        "test=gic.sgi@v2 seed=0x5eed",
        "run\tnmi.x\t5500\thost-tests/nmi\t--test\tnmi.x\t--seed\t0x1\t--time\t2000"]
    with pytest.raises(AssayError, match="a tab or newline"):
        unit_of(make_test("x", kind="guest", vmm=("a\tb",)), 1)


def guests(*names, **fields):
    return [unit_of(make_test(name, "gic", "guest", program="guest-tests/gic.elf", **fields), 7) for name in names]


def test_guests_of_the_same_machine_are_a_series():
    v3 = {"vmm": ("--machine", "gic-version=3")}
    units = [*guests("a", **v3), *guests("other"), *guests("b", variant="v3", **v3), *guests("late", limit_ms=9000, **v3),
             *guests("storm", tags=("stress",), **v3), *guests("fresh", tags=("alone",), **v3),
             *guests("long", limit_ms=60_000, **v3), unit_of(make_test("x"), 7), unit_of(make_test("y"), 7)]
    lines = [line.split("\t") for line in job_text(lanes_of(units, 1)[0]).splitlines()]
    assert [line[:2] for line in lines] == [
        ["series", "gic.a gic.b@v3"], ["run", "gic.other"], ["run", "gic.late"], ["run", "gic.storm"],
        ["run", "gic.fresh"], ["run", "gic.long"], ["run", "s.x"], ["run", "s.y"]]
    assert lines[0][2:] == ["4000", "refvmm", "--machine", "gic-version=3", "--kernel", "guest-tests/gic.elf",
                            "--append", "series seed=0x7"]
    assert lines[1] == units[1].line.split("\t")  # alone it is as it ever was


def test_series_are_not_too_long_and_no_test_is_twice_in_one():
    units = guests(*(f"t{n}" for n in range(SERIES_MAX + 2)))
    lengths = [len(line.split("\t")[1].split()) for line in job_text(units).splitlines()]
    assert lengths == [SERIES_MAX, 2]
    assert [line.split("\t")[1] for line in job_text(guests("a", "b") * 2).splitlines()] == ["gic.a gic.b"] * 2


def test_a_series_stays_in_one_lane():
    units = [unit for n in range(8) for unit in guests(f"a{n}", f"b{n}", vmm=("--memory", f"{n + 32}M"))]
    for lane in lanes_of(units[::2] + units[1::2], 2):
        assert len({unit.test.vmm for unit in lane}) * 2 == len(lane) == 8
        assert job_text(lane).count("series\t") == 4


def test_lanes_share_evenly_and_always_alike():
    units = [unit_of(make_test(f"t{n}", kind="guest", tags=("stress",) if n == 3 else ("alone",)), 1)
             for n in range(128)]
    lanes = lanes_of(units, 2)
    assert abs(len(lanes[0]) - len(lanes[1])) > 40  # the long one weighs as many others
    assert sorted(unit.test.name for lane in lanes for unit in lane) == sorted(unit.test.name for unit in units)
    assert lanes_of(units, 2) == lanes
    assert lanes_of(units[:2], 8) == [[units[0]], [units[1]]] and lanes_of(units, 1) == [units]


def test_what_wants_several_cpus_stays_in_the_first_lane():
    wide = [make_test("smp", kind="guest", vmm=("--smp", "2")), make_test("pinned", kind="guest", tags=("host-cpus",)),
            make_test("kvm", kind="host")]
    narrow = [make_test("one", kind="guest"), make_test("board", kind="host", tags=("refvmm", "control"))]
    assert [test.wide for test in wide + narrow] == [True, True, True, False, False]
    first, second = lanes_of([unit_of(test, 1) for test in wide + narrow], 2)
    assert [unit.test.name for unit in first] == ["smp", "pinned", "kvm"]
    assert [unit.test.name for unit in second] == ["one", "board"]


@pytest.mark.parametrize(("release", "kernels", "inside"), [
    ("6.12.95+deb12-cloud-arm64", ">=6.1,<6.13", True), ("6.1.0-50-cloud-arm64", ">=6.1", True),
    ("6.1.0-50", "<=6.1", True), ("6.1.0-50", "<6.1", False), ("7.2.13+deb14", ">=6.1,<6.13", False),
    ("6.12.95", "==6.12", True), ("6.120", "==6.12", False),
    ("6.12", "==6.12.95", False), ("nonsense", ">=6.1", False), ("6.9", ">6.12", False), ("anything", "*", True),
])
def test_kernel_ranges(release, kernels, inside):
    assert in_range(release, kernels) is inside


def test_kernel_version():
    assert kernel_version("6.12.95+deb12-cloud-arm64") == (6, 12, 95) and kernel_version("x") == ()


GOOD = '[[known]]\ntest = "gic.*"\nsource = "https://example.org"\nreason = "lost"\n'


@pytest.mark.parametrize(("text", "says"), [
    ("[[known]", "known.toml"), ("[known]\n", "only [[known]] and"), ("x = 1\n" + GOOD, "only [[known]] and"),
    (GOOD.replace("reason", "raeson"), "entry 1: wants"), (GOOD + 'kernels = "6.1"\n', "is no term like"),
    (GOOD + "cells = 3\n", "cells is a list"), (GOOD.replace('"lost"', '""'), "are texts"),
    (GOOD + 'more = "x"\n', "nothing else"),
    ("known = [1]\n", "entry 1: wants"),
    ('[[warning]]\nsite = "f"\n', "warning 1: wants"), (GOOD.replace("known", "warning"), "warning 1: wants site"),
])
def test_known_table_is_read_strictly(tmp_path, text, says):
    path = tmp_path / "known.toml"
    path.write_text(text)
    with pytest.raises(AssayError) as caught:
        load_known(path)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_known_table_of_the_tree_and_defaults(tmp_path):
    from assay.paths import KNOWN

    load_known(KNOWN)
    path = tmp_path / "known.toml"
    path.write_text(GOOD)
    entry = load_known(path).known[0]
    assert entry.kernels == "*" and entry.cells == ("*",) and load_known(tmp_path / "none.toml").known == []
