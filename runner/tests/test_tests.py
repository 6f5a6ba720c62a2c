# SPDX-License-Identifier: Apache-2.0
"""Reading tests out of ELF files, and every way such a file can be wrong."""

from __future__ import annotations

import random
import shutil
import struct
from pathlib import Path

import pytest
from assay import tests as reader
from assay.errors import AssayError
from conftest import suite, test_c

GOOD = suite("gic", "--smp 2", "smoke") + test_c(
    1, "gic", "sgi", rule="GIC-1", line=7, vmm="--machine its=off", variants="v2: --machine gic-version=2 | v3",
    tags="slow", limit=100) + test_c(2, "gic", "ppi")


def bundle_of(tmp_path: Path, guest: dict[str, Path] | None = None, host: dict[str, Path] | None = None) -> Path:
    """A bundle with these programs."""
    for folder, programs in (("guest-tests", guest or {}), ("host-tests", host or {})):
        (tmp_path / folder).mkdir()
        for name, path in programs.items():
            shutil.copy(path, tmp_path / folder / name)
    return tmp_path


def test_reads_every_field(tmp_path, compile_elf):
    found = reader.load(bundle_of(tmp_path, guest={"gic.elf": compile_elf(GOOD)}))
    assert [test.id for test in found] == ["gic.ppi", "gic.sgi@v2", "gic.sgi@v3"]
    v2 = found[1]
    assert (v2.suite, v2.name, v2.variant, v2.kind, v2.program) == ("gic", "sgi", "v2", "guest", "guest-tests/gic.elf")
    assert (v2.rule, v2.file, v2.line, v2.tags, v2.limit_ms) == ("GIC-1", "x/y.c", 7, ("smoke", "slow"), 100)
    assert v2.vmm == ("--smp", "2", "--machine", "its=off", "--machine", "gic-version=2")
    assert found[2].vmm == ("--smp", "2", "--machine", "its=off")
    assert (found[0].rule, found[0].limit_ms) == (None, 5000)


def test_host_variants_are_no_refvmm_options(tmp_path, compile_elf):
    elf = compile_elf(test_c(1, "nmi", "x", variants="v2: gic=2 | v3: gic=3"))
    found = reader.load(bundle_of(tmp_path, host={"nmi": elf}))
    assert [(test.id, test.vmm, test.limit_ms) for test in found] == [("nmi.x@v2", (), 10000), ("nmi.x@v3", (), 10000)]


def test_facts_come_first_then_host_then_guest(tmp_path, compile_elf):
    guest = compile_elf(test_c(1, "aaa", "x"))
    host = compile_elf(test_c(1, "zzz", "x"))
    facts = compile_elf(suite("yyy", tags="facts") + test_c(1, "yyy", "x"))
    found = reader.load(bundle_of(tmp_path, guest={"a.elf": guest}, host={"y": facts, "z": host}))
    assert [test.id for test in found] == ["yyy.x", "zzz.x", "aaa.x"]


@pytest.mark.parametrize(("tables", "says"), [
    ("", "holds no test"),
    (suite("gic"), "holds no test"),
    (test_c(1, "gic", "x", abi="2"), "ABI 2, this runner knows 1"),
    (suite("gic", abi="9") + test_c(1, "gic", "x"), "ABI 9, this runner knows 1"),
    (test_c(1, "gic", "x", size="72"), "a record of 72 bytes"),
    (test_c(1, "gic", "x", size="0"), "a record of 0 bytes"),
    (test_c(1, "gic", "x", size="4096"), "a record of 4096 bytes"),
    (test_c(1, "GIC", "x"), "is not made of a-z"),
    (test_c(1, "gic", "has blank"), "is not made of a-z"),
    (test_c(1, "gic", "x", variants=": --smp 2"), "has no name"),
    (test_c(1, "gic", "x", variants="a: --smp 2 | a: --smp 3"), "variant 'a' is there twice"),
    (test_c(1, "gic", "x", vmm="--append 'unclosed"), "No closing quotation"),
    ('IN("assay_tests") char stray[100];', "ABI 0"),
    (test_c(1, "gic", "x") + 'IN("assay_tests") char stray[24] = {1};', "24 bytes left over"),
    (test_c(1, "gic", "x").replace('"x"', "(const char *)0x123456789"), "address 0x123456789 is not in the file"),
    (test_c(1, "gic", "x").replace('"gic"', "0"), "is not made of a-z"),
])
def test_bad_tables_are_one_line(tmp_path, compile_elf, tables, says):
    path = bundle_of(tmp_path, guest={"bad.elf": compile_elf(tables)})
    with pytest.raises(AssayError) as caught:
        reader.load(path)
    assert says in str(caught.value) and "bad.elf" in str(caught.value) and "\n" not in str(caught.value)


def test_duplicate_ids_name_both_places(tmp_path, compile_elf):
    one, two = compile_elf(test_c(1, "gic", "x", line=3)), compile_elf(test_c(1, "gic", "x", line=4))
    with pytest.raises(AssayError, match=r"gic\.x is there twice: x/y\.c:3 and x/y\.c:4"):
        reader.load(bundle_of(tmp_path, guest={"a.elf": one, "b.elf": two}))


def test_duplicate_suite(tmp_path, compile_elf):
    twice = suite("gic") + suite("gic").replace("suite_gic", "suite_again") + test_c(1, "gic", "x")
    with pytest.raises(AssayError, match="suite 'gic' is there twice"):
        reader.load(bundle_of(tmp_path, guest={"a.elf": compile_elf(twice)}))


def test_position_independent_program_is_refused(tmp_path, compile_elf):
    elf = compile_elf(GOOD, "-static-pie", "-fpie")
    with pytest.raises(AssayError, match="ET_DYN, not ET_EXEC"):
        reader.load(bundle_of(tmp_path, guest={"a.elf": elf}))


@pytest.mark.parametrize(("data", "says"), [
    (b"", "no whole ELF file"), (b"\x7fELF", "ELF"), (b"#!/bin/sh\n", "no whole ELF file"),
    (b"\x7fELF" + bytes(60), "ELF"),
])
def test_no_elf_is_one_line(tmp_path, data, says):
    (tmp_path / "guest-tests").mkdir()
    (tmp_path / "guest-tests" / "a.elf").write_bytes(data)
    with pytest.raises(AssayError, match=says):
        reader.load(tmp_path)


def test_other_machine_is_refused(tmp_path, compile_elf):
    data = bytearray(compile_elf(GOOD).read_bytes())
    struct.pack_into("<H", data, 18, 62)  # e_machine: x86-64
    path = bundle_of(tmp_path)
    (path / "guest-tests" / "a.elf").write_bytes(data)
    with pytest.raises(AssayError, match="not for 64-bit little-endian AArch64"):
        reader.load(path)


def test_damaged_files_never_end_in_a_traceback(tmp_path, compile_elf):
    whole = compile_elf(GOOD).read_bytes()
    path = bundle_of(tmp_path)
    dice = random.Random(20261123)
    refused = 0
    for round_number in range(300):
        data = bytearray(whole)
        if round_number % 3 == 0:
            del data[dice.randrange(len(data)):]
        else:
            for _ in range(dice.randrange(1, 12)):
                data[dice.randrange(0, 64 if round_number % 3 == 1 else len(data))] = dice.randrange(256)
        (path / "guest-tests" / "a.elf").write_bytes(data)
        try:
            reader.load(path)
        except AssayError as e:
            refused += 1
            assert "\n" not in str(e)
    assert refused > 100


def test_empty_bundle_says_what_to_do(tmp_path):
    with pytest.raises(AssayError, match="make build"):
        reader.load(tmp_path)
