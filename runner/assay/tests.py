# SPDX-License-Identifier: Apache-2.0
"""What tests there are: read from the ELF files of the bundle, without running anything (abi/assay/test.h)."""

from __future__ import annotations

import re
import shlex
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import AssayError
from .paths import BUNDLE, shown

ABI = 1
DEFAULT_LIMIT_MS = 10_000
HOST_CPUS = "host-cpus"  # the tag of guests with one vCPU that still want a host with several CPUs
_SUITE = struct.Struct("<IIQQQQII")
_TEST = struct.Struct("<IIQQQQQQQQII")
_WORD = re.compile(r"[a-z0-9_]+")
_VARIANT = re.compile(r"[A-Za-z0-9_.+-]+")


@dataclass(frozen=True)
class Test:
    """One test and variant: a line of `./assay list`, a unit of a job, an entry of results.json a host."""

    suite: str
    name: str
    variant: str | None
    kind: str  # "guest" or "host"
    program: str  # path inside the bundle: guest-tests/gic.elf, host-tests/nmi
    rule: str | None
    file: str
    line: int
    tags: tuple[str, ...]
    limit_ms: int
    vmm: tuple[str, ...]  # refvmm options of a guest test: suite's, test's, variant's
    device: str | None = None
    order: int = 0

    @property
    def id(self) -> str:
        """suite.name, or suite.name@variant: stable for ever, so that histories compare."""
        return f"{self.suite}.{self.name}" + (f"@{self.variant}" if self.variant else "")

    @property
    def wide(self) -> bool:
        """Whether a second CPU of the host matters: for several vCPUs, for KVM's own calls, or as the tag says."""
        if self.kind == "guest":
            return "--smp" in self.vmm or HOST_CPUS in self.tags
        return "refvmm" not in self.tags


class _Program:
    """The bytes of one static ELF file, read by virtual address."""

    def __init__(self, path: Path) -> None:
        from elftools.common.exceptions import ELFError  # here, so that commands without tests start at once
        from elftools.elf.elffile import ELFFile

        self.path = path
        try:
            self.data = path.read_bytes()
        except OSError as e:
            raise AssayError(f"{shown(path)}: cannot be read: {e.strerror}") from e
        try:
            with path.open("rb") as stream:
                elf = ELFFile(stream)
                if elf.elfclass != 64 or not elf.little_endian or elf["e_machine"] != "EM_AARCH64":
                    raise self.error(f"is for {elf['e_machine']}, not for 64-bit little-endian AArch64")
                if elf["e_type"] != "ET_EXEC":
                    raise self.error(f"is {elf['e_type']}, not ET_EXEC: link it with -static -no-pie")
                self.segments = [(s["p_vaddr"], s["p_filesz"], s["p_offset"])
                                 for s in elf.iter_segments() if s["p_type"] == "PT_LOAD"]
                self.sections = {s.name: (s["sh_addr"], s["sh_size"]) for s in elf.iter_sections()}
        except AssayError:
            raise
        except (ELFError, OSError) as e:
            raise self.error(f"is no whole ELF file ({e})") from e
        except Exception as e:  # pyelftools raises whatever its parsers do on damaged headers
            raise self.error(f"has a damaged ELF header ({type(e).__name__}: {e})") from e

    def error(self, what: str) -> AssayError:
        """An error about this file."""
        return AssayError(f"{shown(self.path)}: {what}; build it again with `make build`")

    def read(self, address: int, size: int, what: str) -> bytes:
        """`size` bytes at a link-time address."""
        for vaddr, filesz, offset in self.segments:
            if vaddr <= address and address + size <= vaddr + filesz and offset + filesz <= len(self.data):
                start = offset + address - vaddr
                return self.data[start:start + size]
        raise self.error(f"{what}: address {address:#x} is not in the file")

    def text(self, address: int, what: str) -> str | None:
        """The C string at an address, None for NULL."""
        if not address:
            return None
        for vaddr, filesz, offset in self.segments:
            if vaddr <= address < vaddr + filesz and offset + filesz <= len(self.data):
                start = offset + address - vaddr
                end = self.data.find(b"\0", start, offset + filesz)
                if end < 0 or end - start > 4096:
                    raise self.error(f"{what}: text at {address:#x} has no end")
                try:
                    return self.data[start:end].decode("utf-8")
                except UnicodeDecodeError:
                    raise self.error(f"{what}: text at {address:#x} is not UTF-8") from None
        raise self.error(f"{what}: address {address:#x} is not in the file")

    def records(self, section: str, layout: struct.Struct) -> Iterator[tuple[int, ...]]:
        """The structs of a table section; their `size` field is the stride, for the ABI only appends."""
        if section not in self.sections:
            return
        address, total = self.sections[section]
        while total:
            what = f"section {section}"
            if total < layout.size:
                raise self.error(f"{what}: {total} bytes left over, a record has {layout.size}")
            record = layout.unpack(self.read(address, layout.size, what))
            abi, size = record[:2]
            if abi != ABI:
                raise self.error(f"{what}: ABI {abi}, this runner knows {ABI}")
            if size < layout.size or size > total or size % 8:
                raise self.error(f"{what}: a record of {size} bytes, expected {layout.size}")
            yield record[2:]
            address, total = address + size, total - size


def _variants(program: _Program, what: str, text: str | None) -> list[tuple[str | None, str]]:
    """Split "v2: --machine gic-version=2 | v3: ..." into names and what stands behind the colon."""
    if not text:
        return [(None, "")]
    found: list[tuple[str | None, str]] = []
    for part in text.split("|"):
        name, _, rest = part.partition(":")
        name = name.strip()
        if not _VARIANT.fullmatch(name):
            raise program.error(f"{what}: variant '{part.strip()}' has no name (NAME: OPTIONS)")
        if any(name == other for other, _ in found):
            raise program.error(f"{what}: variant '{name}' is there twice")
        found.append((name, rest.strip()))
    return found


def _words(program: _Program, what: str, text: str | None) -> list[str]:
    try:
        return shlex.split(text or "")
    except ValueError as e:
        raise program.error(f"{what}: refvmm options '{text}': {e}") from e


def read_program(path: Path, kind: str, inside: str) -> list[Test]:
    """The tests of one program, variants expanded."""
    program = _Program(path)
    suites: dict[str, dict[str, str | int | None]] = {}
    for name, vmm, tags, device, limit, _ in program.records("assay_suites", _SUITE):
        suite = program.text(name, "suite's name") or ""
        if not _WORD.fullmatch(suite):
            raise program.error(f"suite name '{suite}' is not made of a-z, 0-9 and _")
        if suite in suites:
            raise program.error(f"suite '{suite}' is there twice")
        what = f"suite {suite}"
        suites[suite] = {"vmm": program.text(vmm, what), "tags": program.text(tags, what),
                         "device": program.text(device, what), "limit": limit}
    tests: list[Test] = []
    for record in program.records("assay_tests", _TEST):
        texts = [program.text(address, "a test's text") for address in record[:7]]
        suite_name, name, rule, file, vmm, variants, tags = texts
        what = f"test {suite_name}.{name}"
        if not _WORD.fullmatch(suite_name or "") or not _WORD.fullmatch(name or ""):
            raise program.error(f"{what}: the name is not made of a-z, 0-9 and _")
        assert suite_name and name
        suite_of = suites.get(suite_name, {"vmm": None, "tags": None, "device": None, "limit": 0})
        all_tags = f"{suite_of['tags'] or ''} {tags or ''}".split()
        for order, (variant, rest) in enumerate(_variants(program, what, variants)):
            options: list[str] = []
            if kind == "guest":
                for text in (suite_of["vmm"], vmm, rest):
                    options += _words(program, what, text)  # type: ignore[arg-type]
            tests.append(Test(
                suite=suite_name, name=name, variant=variant, kind=kind, program=inside, rule=rule,
                file=file or "?", line=record[8], tags=tuple(dict.fromkeys(all_tags)),
                limit_ms=record[9] or int(suite_of["limit"] or 0) or DEFAULT_LIMIT_MS, vmm=tuple(options),
                device=suite_of["device"], order=order))  # type: ignore[arg-type]
    if not tests:
        raise program.error("holds no test (section assay_tests is missing or empty)")
    return tests


def _place(test: Test) -> tuple[int, str, str, int, int]:
    """Host facts first: what they tell decides how the rest is read. Then host before guest, suite, file, line."""
    facts = test.suite == "facts" or "facts" in test.tags
    return (0 if facts else 1 if test.kind == "host" else 2, test.suite, test.file, test.line, test.order)


def load(bundle: Path = BUNDLE) -> list[Test]:
    """Every test of the bundle, in the order in which a run takes them."""
    tests: list[Test] = []
    for folder, kind in (("guest-tests", "guest"), ("host-tests", "host")):
        pattern = "*.elf" if kind == "guest" else "*"
        for path in sorted((bundle / folder).glob(pattern)):
            if path.is_file() and not path.name.endswith(".d"):
                tests += read_program(path, kind, f"{folder}/{path.name}")
    if not tests:
        raise AssayError(f"no test programs in {shown(bundle)}: build them with `make build`")
    seen: dict[str, Test] = {}
    for test in tests:
        other = seen.setdefault(test.id, test)
        if other is not test:
            raise AssayError(f"test {test.id} is there twice: {other.file}:{other.line} and {test.file}:{test.line}; "
                             "rename one")
    return sorted(tests, key=_place)
