# SPDX-License-Identifier: Apache-2.0
"""A private apt: own sources, lists, cache and configuration, so that the system's are neither read as a base
nor touched. Needs no root. One state a pair of architecture and suites, below the cache folder."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import AssayError
from . import cache

DEFAULT_MIRROR = "http://deb.debian.org/debian"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SYSTEM_SOURCES = Path("/etc/apt")

# What of the system's apt configuration goes over: how to reach a mirror, nothing of what apt does then.
_KEEP = re.compile(r"^Acquire::(http|https|Proxy-Auto-Detect|ForceIPv[46]|Retries|Check-Valid-Until|Check-Date)\b")


class FetchError(AssayError):
    """A package could not be had: which, why, what to do."""


@dataclass(frozen=True)
class Package:
    """One version of one package, as resolved now."""

    name: str
    version: str
    suite: str
    architecture: str
    depends: tuple[str, ...] = ()

    def record(self) -> dict[str, str]:
        """For artefact.json."""
        return {"name": self.name, "version": self.version, "suite": self.suite, "architecture": self.architecture}


def mirror_of(sources: Path = SYSTEM_SOURCES) -> str:
    """The Debian mirror that the system itself uses; else the common one."""
    files = [sources / "sources.list", *sorted(sources.glob("sources.list.d/*.list")),
             *sorted(sources.glob("sources.list.d/*.sources"))]
    for file in files:
        try:
            text = file.read_text(errors="replace")
        except OSError:
            continue
        for line in text.splitlines():
            one = re.match(r"\s*(?:deb\s+(?:\[[^]]*\]\s+)?|URIs:\s*)((?:https?|file)://\S+/debian)/?(?:\s|$)", line)
            if one:
                return one.group(1)
    return DEFAULT_MIRROR


def _system_config() -> list[str]:
    try:
        dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line for line in dump.splitlines() if _KEEP.match(line) and not line.endswith('"";')]


def shorten(stderr: str) -> str:
    """Apt's own words for what went wrong, one line."""
    lines = [line.strip() for line in stderr.splitlines()]
    errors = [line[2:].strip() for line in lines if line.startswith(("E:", "W:", "Err:"))]
    useful = [e for e in errors if not e.startswith(("Some index files", "Download is performed", "Unable to fetch"))]
    return " ".join((useful or errors or lines or ["no message"])[0].split())[:240]


class PrivateApt:
    """`apt-get` for one architecture and some suites of Debian."""

    def __init__(self, architecture: str, suites: Sequence[str], mirror: str | None = None) -> None:
        self.architecture = architecture
        self.suites = tuple(suites)
        self.mirror = mirror or mirror_of()
        self.state = cache.root() / "apt" / f"{architecture}-{'+'.join(suites)}"
        self._updated = False

    def config(self) -> str:
        """The text of the private apt.conf."""
        own = {
            "Dir::Etc::Parts": "/dev/null", "Dir::Etc::Main": "/dev/null",
            "Dir::Etc::SourceList": f"{self.state}/sources.list", "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null", "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State": f"{self.state}/state", "Dir::State::Lists": f"{self.state}/lists",
            "Dir::State::status": "/dev/null", "Dir::Cache": f"{self.state}/cache",
            "Dir::Cache::pkgcache": "", "Dir::Cache::srcpkgcache": "", "Acquire::GzipIndexes": "true",
            "APT::Architecture": self.architecture, "APT::Default-Release": self.suites[0],
            "APT::Sandbox::User": "root", "APT::Update::Error-Mode": "any", "Debug::NoLocking": "true",
            "Acquire::Languages": "none", "Acquire::Retries": "2", "APT::Install-Recommends": "false",
            "APT::Get::Assume-Yes": "true", "Dpkg::Use-Pty": "false",
        }
        lines = [f'{key} "{value}";' for key, value in own.items()]
        lines.append(f'#clear APT::Architectures;\nAPT::Architectures {{ "{self.architecture}"; }};')
        return "\n".join([*_system_config(), *lines, ""])

    def sources(self) -> str:
        """The text of the private sources.list."""
        return "".join(f"deb [signed-by={KEYRING} arch={self.architecture}] {self.mirror} {suite} main\n"
                       for suite in self.suites)

    def argv(self, tool: str, *args: str) -> list[str]:
        """The command; APT_CONFIG, which `environment` sets, makes it private."""
        return [tool, "-q", *args]

    def environment(self) -> dict[str, str]:
        """Untranslated messages, and our configuration alone."""
        return os.environ | {"APT_CONFIG": str(self.state / "apt.conf"), "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}

    def _prepare(self) -> None:
        if not KEYRING.exists():
            raise FetchError(f"{KEYRING} is missing, so nothing from Debian can be verified; "
                             "install the package debian-archive-keyring")
        try:
            for sub in ("state", "lists/partial", "cache/archives/partial"):
                (self.state / sub).mkdir(parents=True, exist_ok=True)
            (self.state / "sources.list").write_text(self.sources())
            (self.state / "apt.conf").write_text(self.config())
        except OSError as e:
            raise FetchError(f"{self.state} cannot be written: {e.strerror}; "
                             f"free some of the disk that {cache.root()} is on") from e

    def _run(self, what: str, *argv: str, cwd: Path | None = None, limit_s: int = 1800) -> str:
        try:
            done = subprocess.run(self.argv(*argv), cwd=cwd, env=self.environment(), capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, check=False, timeout=limit_s)
        except FileNotFoundError as e:
            raise FetchError(f"{what}: {argv[0]} is not installed; the lab fetches Debian packages with apt") from e
        except subprocess.TimeoutExpired as e:
            raise FetchError(f"{what}: {argv[0]} took longer than {limit_s} s from {self.mirror}; "
                             "check the network and run the same command again") from e
        if done.returncode:
            why = shorten(done.stderr)
            full = re.search(r"free space|No space left", done.stderr)
            todo = (f"free some of the disk that {cache.root()} is on" if full else
                    f"check that {self.mirror} can be reached (network, proxy)")
            raise FetchError(f"{what}: {why}; {todo} and run the same command again")
        return done.stdout

    def update(self) -> None:
        """Fetches the lists, once in the life of this object."""
        if self._updated:
            return
        self._prepare()
        self._run(f"lists of {' and '.join(self.suites)} ({self.architecture})", "apt-get", "update")
        self._updated = True

    def resolve(self, name: str, suite: str) -> Package:
        """The version of the package that the suite has now."""
        self.update()
        text = self._run(f"package {name} ({suite}, {self.architecture})",
                         "apt-cache", "show", "--no-all-versions", f"{name}/{suite}")
        field = {}
        for line in text.splitlines():
            key, colon, value = line.partition(": ")
            if colon and key not in field:
                field[key] = value
        if "Version" not in field:
            raise FetchError(f"package {name} is not in Debian {suite} for {self.architecture}; "
                             "see lab/kernels.toml for the names the lab asks for")
        depends = tuple(re.match(r"[^\s(|:]+", part.strip()).group() for part in field.get("Depends", "").split(",")
                        if part.strip())
        return Package(field["Package"], field["Version"], suite, self.architecture, depends)

    def download(self, packages: Iterable[Package], into: Path) -> list[Path]:
        """The .deb files, in a folder of their own."""
        wanted = list(packages)
        into.mkdir(parents=True, exist_ok=True)
        names = " ".join(p.name for p in wanted)
        self._run(f"package {names}", "apt-get", "download", *(f"{p.name}={p.version}" for p in wanted), cwd=into)
        return sorted(into.glob("*.deb"))

    def download_closure(self, wanted: Sequence[str], suite: str) -> list[Path]:
        """The packages and all they depend on, C library included; they stay in the private archive folder."""
        self.update()
        archives = self.state / "cache" / "archives"
        for old in archives.glob("*.deb"):
            old.unlink()
        self._run(f"package {wanted[0]} ({suite}) and what it needs", "apt-get", "--download-only", "install",
                  "--no-install-recommends", *(f"{name}/{suite}" for name in wanted))
        return sorted(archives.glob("*.deb"))


def deb_fields(deb: Path) -> dict[str, str]:
    """Package, version and architecture out of the file itself."""
    out = subprocess.run(["dpkg-deb", "-f", str(deb), "Package", "Version", "Architecture"], capture_output=True,
                         text=True, check=False)
    if out.returncode:
        raise AssayError(f"{deb}: is no Debian package: {shorten(out.stderr)}")
    pairs = (line.partition(": ") for line in out.stdout.splitlines())
    return {key.lower(): value for key, _, value in pairs}


def unpack(deb: Path, into: Path) -> None:
    """The files of the package, without its scripts."""
    done = subprocess.run(["dpkg-deb", "-x", str(deb), str(into)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssayError(f"{deb.name}: cannot be unpacked into {into}: {shorten(done.stderr)}")
