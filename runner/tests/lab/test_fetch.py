# SPDX-License-Identifier: Apache-2.0
"""The parts of fetching that need no network: cache, apt's configuration, kernel images, modules, cpio."""

import gzip
import lzma
import os
import re
import struct
import subprocess
import threading

import pytest

from assay.errors import AssayError
from assay.lab import apt, cache, kernels, modules, qemu
from assay.lab.cells import Kernel
from assay.lab.cpio import Archive


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "assay"


# ---- cache

def test_root_follows_xdg(monkeypatch, tmp_path):
    assert cache.root() == tmp_path / "cache" / "assay"
    for value in ("", "relative"):  # the XDG base directory rules: only absolute paths count
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        assert cache.root() == tmp_path / "home/.cache/assay"


def test_staged_appears_whole_or_not_at_all(own_cache):
    dest = own_cache / "thing"
    with pytest.raises(ZeroDivisionError), cache.staged(dest) as part:
        (part / "half").write_text("x")
        assert not dest.exists()
        raise ZeroDivisionError
    assert list(own_cache.iterdir()) == []
    with cache.staged(dest) as part:
        (part / "a").write_text("1")
        cache.write_record(part, what="first")
    with cache.staged(dest) as part:
        (part / "b").write_text("2")
    assert [p.name for p in dest.iterdir()] == ["b"] and [p.name for p in own_cache.iterdir()] == ["thing"]


def test_what_a_killed_process_left_is_swept(own_cache):
    left = own_cache / ".thing.partial-dead"
    left.mkdir(parents=True)
    with cache.staged(own_cache / "thing"):
        pass
    assert not left.exists()


def test_record(own_cache):
    assert cache.read_record(own_cache) is None
    own_cache.mkdir(parents=True)
    cache.write_record(own_cache, a=1)
    assert cache.read_record(own_cache)["a"] == 1
    for damaged in ("", "{", "[]"):
        (own_cache / cache.RECORD).write_text(damaged)
        assert cache.read_record(own_cache) is None


def test_lock_lets_one_in_at_a_time(capsys):
    order = []

    def second():
        with cache.lock("x"):
            order.append("second")

    thread = threading.Thread(target=second)
    with cache.lock("x"):
        thread.start()
        thread.join(0.3)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]
    assert "waiting for another process" in capsys.readouterr().err


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(AssayError, match="cannot be written.*XDG_CACHE_HOME"), cache.lock("x"):
        pass
    with pytest.raises(AssayError, match="cannot place"), cache.staged(cache.root() / "y"):
        pass


# ---- apt

def test_nothing_of_the_system_is_used(own_cache):
    private = apt.PrivateApt("arm64", ["bookworm", "bookworm-backports"], mirror="http://m/debian")
    private._prepare()
    where = f"{own_cache}/apt/arm64-bookworm+bookworm-backports"
    dump = subprocess.run(["apt-config", "dump"], env=private.environment(), capture_output=True, text=True,
                          check=True).stdout
    values = dict(re.match(r'(\S+) "(.*)";', line).groups() for line in dump.splitlines())
    values = {key.lower(): value for key, value in values.items()}  # apt's keys know no case
    assert values["dir::state::lists"] == f"{where}/lists"
    assert values["dir::state::status"] == "/dev/null"
    assert values["dir::cache"] == f"{where}/cache"
    assert values["dir::etc::sourceparts"] == values["dir::etc::preferencesparts"] == "/dev/null"
    assert values["dir::etc::parts"] == "/dev/null"
    assert values["apt::architecture"] == "arm64"
    assert re.findall(r'^APT::Architectures:: "(.*)";', dump, re.MULTILINE) == ["arm64"]
    assert not re.search(r'^(APT::Update::Post-Invoke|DPkg::Post-Invoke)\S*:: ', dump, re.MULTILINE)
    sources = (private.state / "sources.list").read_text().splitlines()
    assert sources == [f"deb [signed-by={apt.KEYRING} arch=arm64] http://m/debian {suite} main"
                       for suite in ("bookworm", "bookworm-backports")]


def test_the_systems_mirror(tmp_path):
    (tmp_path / "sources.list.d").mkdir()
    assert apt.mirror_of(tmp_path) == apt.DEFAULT_MIRROR
    (tmp_path / "sources.list.d/a.sources").write_text("Types: deb\nURIs: https://deb.nodesource.com/x\n")
    (tmp_path / "sources.list.d/b.sources").write_text(
        "Types: deb\nURIs: http://m.org/debian-security\n\nTypes: deb\nURIs: http://m.org/debian\n")
    assert apt.mirror_of(tmp_path) == "http://m.org/debian"
    (tmp_path / "sources.list").write_text(
        "# deb http://no/debian x main\ndeb-src http://no/debian x\ndeb [arch=amd64] https://yes/debian/ bookworm main\n")
    assert apt.mirror_of(tmp_path) == "https://yes/debian"


def test_apts_own_words():
    text = "W: Download is performed unsandboxed\nE: Failed to fetch http://m/x  Could not resolve 'm'\nE: Some index files failed"
    assert apt.shorten(text) == "Failed to fetch http://m/x Could not resolve 'm'"
    assert apt.shorten("") == "no message"
    assert len(apt.shorten("E: " + "x" * 999)) <= 240


def test_a_mirror_that_does_not_answer(own_cache):
    # port 9 of the loopback: refused at once
    kernel = Kernel("k", "linux-image-cloud-arm64", "bookworm", "6.1", 4)
    private = apt.PrivateApt("arm64", ["bookworm"], mirror="http://127.0.0.1:9/debian")
    with pytest.raises(apt.FetchError) as e:
        kernels._resolve(private, kernel)
    text = str(e.value)
    assert "bookworm (arm64)" in text and "127.0.0.1" in text and "network" in text and "\n" not in text


class FakeApt:
    """Answers `resolve` from a table; no more of apt is needed to follow a kernel's packages."""

    def __init__(self, table):
        self.table = table

    def resolve(self, name, suite):
        version, depends = self.table[name]
        return apt.Package(name, version, suite, "arm64", tuple(depends))


SID = {"linux-image-cloud-arm64": ("7.2.13-1", ["linux-image-7.2.13-cloud-arm64"]),
       "linux-image-7.2.13-cloud-arm64": ("7.2.13-1", ["linux-binary-7.2.13-cloud-arm64", "linux-base", "kmod",
                                                          "linux-modules-7.2.13-cloud-arm64"]),
       "linux-binary-7.2.13-cloud-arm64": ("7.2.13-1", []),
       "linux-modules-7.2.13-cloud-arm64": ("7.2.13-1", [])}


def test_a_meta_package_is_followed_to_the_image():
    found = kernels._resolve(FakeApt(SID), Kernel("k", "linux-image-cloud-arm64", "sid", "7", 4))
    assert [p.name for p in found] == [f"linux-{kind}-7.2.13-cloud-arm64" for kind in ("image", "binary", "modules")]


def test_a_suite_that_moved_on_is_an_error():
    with pytest.raises(apt.FetchError, match="Debian sid has 7.2.13-1 now, not 6.12"):
        kernels._resolve(FakeApt(SID), Kernel("k", "linux-image-cloud-arm64", "sid", "6.12", 4))
    with pytest.raises(apt.FetchError, match="has 7.2.13-1 now, not 7.2.1;"):  # 7.2.13 is not of the series 7.2.1
        kernels._resolve(FakeApt(SID), Kernel("k", "linux-image-cloud-arm64", "sid", "7.2.1", 4))
    with pytest.raises(apt.FetchError, match="names no linux-image package"):
        kernels._resolve(FakeApt({"meta": ("1", [])}), Kernel("k", "meta", "sid", "7", 4))


# ---- kernel images

IMAGE = b"MZ" + bytes(0x36) + b"ARM\x64" + bytes(range(256)) * 40


def zboot(payload, kind):
    return b"MZ\0\0zimg" + struct.pack("<II", 64, len(payload)) + bytes(8) + kind.ljust(32, b"\0") + bytes(8) + payload


def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, capture_output=True, check=True).stdout


@pytest.mark.parametrize("data", [
    IMAGE, gzip.compress(IMAGE), lzma.compress(IMAGE), zstd(IMAGE), zboot(gzip.compress(IMAGE), b"gzip"),
    zboot(zstd(IMAGE), b"zstd"), zboot(zstd(IMAGE) + struct.pack("<I", len(IMAGE)), b"zstd"),
    zboot(lzma.compress(IMAGE), b"xzkern"), gzip.compress(zboot(gzip.compress(IMAGE), b"gzip")),
], ids=["plain", "gzip", "xz", "zstd", "zboot-gzip", "zboot-zstd", "zboot-zstd-size", "zboot-xz", "gzip-zboot"])
def test_every_wrapping_is_taken_off(data):
    assert kernels.to_image(data, "k") == IMAGE


@pytest.mark.parametrize(("data", "message"), [
    (b"", "is no ARM64 kernel image"),
    (b"hello" * 1000, "is no ARM64 kernel image"),
    (b"MZ" + bytes(0x200) + b"HdrS" + bytes(100), "is a kernel for x86"),
    (b"\x7fELF" + bytes(1000), "ELF file"),
    (gzip.compress(IMAGE)[:200], "damaged gzip data"),
    (gzip.compress(b"text" * 500), "is no ARM64 kernel image"),
    (zboot(b"x" * 50, b"gzip"), "damaged gzip data"),
    (zboot(b"x" * 50, b"lz99"), "unknown compression 'lz99'"),
    (zboot(b"x" * 50, b"gzip")[:100], "damaged EFI zboot"),
], ids=["empty", "text", "x86", "elf", "cut", "gzip-text", "zboot-bad", "zboot-unknown", "zboot-cut"])
def test_what_is_no_kernel_is_named(data, message):
    with pytest.raises(AssayError) as e:
        kernels.to_image(data, "some-file")
    assert message in str(e.value) and str(e.value).startswith("some-file: ")


def test_an_image_of_the_users_own(tmp_path):
    path = tmp_path / "Image.gz"
    path.write_bytes(gzip.compress(IMAGE))
    files = kernels.own(path)
    assert files.image.read_bytes() == IMAGE and files.record["kernel"] == str(path)
    before = files.image.stat().st_ino
    assert kernels.own(path).image.stat().st_ino == before  # from the cache the second time
    with pytest.raises(AssayError, match="cannot be read: No such file"):
        kernels.own(tmp_path / "none")
    with pytest.raises(AssayError, match="Is a directory"):
        kernels.own(tmp_path)
    (tmp_path / "bad").write_bytes(b"nothing")
    with pytest.raises(AssayError, match="is no ARM64 kernel image"):
        kernels.own(tmp_path / "bad")
    assert not list((cache.root() / "kernels").glob(".*"))


def make_deb(tmp_path, files, architecture="arm64"):
    tree = tmp_path / "pkg"
    for name, data in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(data)
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(f"Package: linux-image-9.9\nVersion: 9.9-1\nArchitecture: {architecture}\n"
                                         "Maintainer: a <a@b>\nDescription: x\n")
    deb = tmp_path / "k.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", str(tree), str(deb)], check=True,
                   capture_output=True)
    return deb


@pytest.mark.parametrize("name", ["boot/vmlinuz-9.9-arm64", "usr/lib/modules/9.9-arm64/vmlinuz"])
def test_a_package_of_the_users_own(tmp_path, name):
    deb = make_deb(tmp_path, {name: IMAGE, "usr/lib/modules/9.9-arm64/kernel/a.ko": b"x", "boot/config-9.9-arm64": b"y"})
    files = kernels.own(deb)
    assert files.image.read_bytes() == IMAGE
    assert files.record["release"] == "9.9-arm64" and files.record["packages"][0]["version"] == "9.9-1"
    assert (files.modules / "kernel/a.ko").read_bytes() == b"x"


def test_packages_that_do_not_fit(tmp_path):
    with pytest.raises(AssayError, match="is a package for amd64, not for arm64"):
        kernels.own(make_deb(tmp_path, {"boot/vmlinuz-9": IMAGE}, "amd64"))
    with pytest.raises(AssayError, match="holds no kernel image"):
        kernels.own(make_deb(tmp_path / "b", {"usr/share/x": b""}) if (tmp_path / "b").mkdir() is None else None)
    (tmp_path / "broken.deb").write_bytes(b"!<arch>\nrubbish")
    with pytest.raises(AssayError, match="is no Debian package"):
        kernels.own(tmp_path / "broken.deb")


# ---- modules

def module(*depends):
    return b"\x7fELF....\0license=GPL\0depends=" + ",".join(depends).encode() + b"\0name=x\0"


def test_modules_come_after_what_they_need(tmp_path):
    (tmp_path / "kernel/net").mkdir(parents=True)
    (tmp_path / "kernel/net/virtio_net.ko.xz").write_bytes(lzma.compress(module("net-failover", "built_in")))
    (tmp_path / "kernel/net/net_failover.ko.gz").write_bytes(gzip.compress(module("failover")))
    (tmp_path / "kernel/failover.ko").write_bytes(module())
    (tmp_path / "kernel/other.ko").write_bytes(module("virtio_net"))
    found = modules.ordered(tmp_path, ["virtio-pci", "virtio_net", "failover"])
    assert [name for name, _ in found] == ["failover.ko", "net_failover.ko", "virtio_net.ko"]
    assert found[2][1] == module("net-failover", "built_in")


def test_modules_in_a_circle_end(tmp_path):
    (tmp_path / "a.ko").write_bytes(module("b"))
    (tmp_path / "b.ko").write_bytes(module("a"))
    assert sorted(name for name, _ in modules.ordered(tmp_path, ["a"])) == ["a.ko", "b.ko"]


# ---- cpio

def test_cpio_reads_what_we_write(tmp_path):
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "prog").write_bytes(b"#!x")
    (source / "prog").chmod(0o755)
    (source / "skipped").write_bytes(b"no")
    (source / "sub/odd-length").write_bytes(b"12345")
    (source / "link").symlink_to("prog")
    archive = Archive()
    archive.tree(source, "home/here", skip=frozenset({"skipped"}))
    archive.file("/init", b"")
    archive.folder("root/.ssh", 0o700)
    second = Archive()
    second.file("job", b"run\n")
    data = archive.finish() + second.finish()
    assert len(archive.finish()) % 512 == 0
    out = tmp_path / "out"
    out.mkdir()
    # the second archive follows the first one's trailer, as the kernel takes it
    for part in (data, second.finish()):
        subprocess.run(["cpio", "-idm", "--quiet", "--no-preserve-owner"], input=part, cwd=out, check=True)
    assert (out / "home/here/sub/odd-length").read_bytes() == b"12345"
    assert os.access(out / "home/here/prog", os.X_OK) and not os.access(out / "job", os.X_OK)
    assert (out / "home/here/link").readlink().name == "prog"
    assert not (out / "home/here/skipped").exists()
    assert (out / "root/.ssh").stat().st_mode & 0o777 == 0o700
    assert (out / "job").read_bytes() == b"run\n"
    names = subprocess.run(["cpio", "-t", "--quiet"], input=data, capture_output=True,
                           check=True).stdout.decode()
    assert names.splitlines().index("home") < names.splitlines().index("home/here")


def test_a_path_twice_is_an_error():
    archive = Archive()
    archive.file("a", b"")
    with pytest.raises(ValueError, match="again"):
        archive.file("/a", b"")


# ---- QEMU

def fake_qemu(tmp_path, version, machines="virt-7.2             QEMU 7.2 ARM Virtual Machine"):
    path = tmp_path / "qemu"
    path.write_text(f"#!/bin/sh\n[ $1 = -machine ] && echo '{machines}' || echo '{version}'\n")
    path.chmod(0o755)
    return str(path)


def test_a_qemu_of_the_users_own(tmp_path):
    found = qemu.find_qemu(fake_qemu(tmp_path, "QEMU emulator version 8.1.2 (Debian)"))
    assert (found.version, found.origin, found.version_text) == ((8, 1, 2), "user", "8.1.2")


@pytest.mark.parametrize(("version", "machines", "message"), [
    ("QEMU emulator version 7.1.0", "virt-7.2  x", "needs 7.2 or newer"),
    ("hello", "", "is no qemu-system-aarch64: it says 'hello'"),
    ("QEMU emulator version 9.1.0", "pc  x", "has no ARM machine"),
])
def test_a_qemu_that_does_not_fit(tmp_path, version, machines, message):
    with pytest.raises(AssayError) as e:
        qemu.find_qemu(fake_qemu(tmp_path, version, machines))
    assert message in str(e.value)


def test_no_qemu(tmp_path, monkeypatch):
    with pytest.raises(AssayError, match="no such program"):
        qemu.find_qemu("/nope/qemu")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AssayError, match="lab fetch"):
        qemu.find_qemu(fetch=False)


@pytest.mark.parametrize(("version", "taken"), [("9.0.0", True), ("10.2.1", True), ("8.2.9", False)])
def test_the_systems_qemu_is_taken_when_new_enough(tmp_path, monkeypatch, version, taken):
    (tmp_path / "bin").mkdir()
    os.rename(fake_qemu(tmp_path, f"QEMU emulator version {version}"), tmp_path / "bin" / qemu.PROGRAM)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    if taken:
        assert qemu.find_qemu(fetch=False).origin == "system"
    else:
        with pytest.raises(AssayError, match="no QEMU 9.0 or newer"):
            qemu.find_qemu(fetch=False)
