#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Makes sure of the tools: `lab/setup.sh run` for `make run`, `lab/setup.sh check` for `make check`,
# `lab/setup.sh kernel` for cells whose kernel is built here; `check` builds one, too.
# When everything is there it needs neither root nor network and says nothing.
set -u
cd "$(dirname "$0")/.." || exit 2
profile=${1:-}
arch=$(uname -m)
python=/usr/bin/python3
cache=${XDG_CACHE_HOME:-}
[[ $cache == /* ]] || cache=${HOME:-/root}/.cache
cache+=/assay

die() {
	echo "assay: $*" >&2
	exit 2
}

# What has to be there, and the Debian package it comes with: a command, a file or a Python module.
missing=()
has() { compgen -G "$1" >/dev/null; }
cmd() { type -P "$1" >/dev/null || missing+=("$2"); }
file() { has "$1" || missing+=("$2"); }
module() { has "/usr/lib/python3*/dist-packages/$1" || missing+=("$2"); }

need_run() {
	cmd make make
	cmd gcc gcc
	file /usr/include/stdio.h libc6-dev
	file /usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring
	file $python python3
	module jinja2 python3-jinja2
	module rich python3-rich
	module jsonschema python3-jsonschema
	module elftools python3-pyelftools
	cmd cpio cpio
	cmd zstd zstd
	file /usr/include/seccomp.h libseccomp-dev
	file /usr/include/libfdt.h libfdt-dev
	file /usr/include/zlib.h zlib1g-dev
	if [[ $arch != aarch64 ]]; then
		cmd aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
		file /usr/aarch64-linux-gnu/include/stdio.h libc6-dev-arm64-cross
		file /usr/aarch64-linux-gnu/include/linux/kvm.h linux-libc-dev-arm64-cross
	fi
}

need_check() {
	module pytest python3-pytest
	module selenium python3-selenium
	cmd git git
	cmd lcov lcov
	cmd clang clang
	cmd clang-format clang-format
	cmd clang-tidy clang-tidy
	cmd chromium chromium
	cmd chromedriver chromium-driver
	cmd ssh openssh-client
	cmd dtc device-tree-compiler
	# the runtime of clang's sanitizers and of libFuzzer, of the version clang is
	has '/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a' || missing+=(libclang-rt)
}

# What Debian's kernel source is unpacked and built with.
need_kernel() {
	cmd xz xz-utils
	cmd flex flex
	cmd bison bison
	cmd bc bc
	file /usr/include/openssl/ssl.h libssl-dev
	file /usr/include/libelf.h libelf-dev
}

need() {
	case $profile in
	run) need_run ;;
	kernel) need_run && need_kernel ;;
	check) need_run && need_check && need_kernel ;;
	*) die "setup.sh: say what for: \`run\`, \`check\` or \`kernel\`, not '$profile'" ;;
	esac
}
need

# The name of a package that has the compiler's version in it, once apt knows it.
real_name() {
	local version
	if [[ $1 == libclang-rt ]]; then
		version=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
		echo "libclang-rt-${version:-14}-dev" # 14: Debian 12, whose lists were never read
	else
		echo "$1"
	fi
}

install_missing() {
	local root=() names=() name log
	type -P apt-get >/dev/null || die "these Debian packages are missing and there is no apt-get: ${missing[*]}"
	if [[ $(id -u) != 0 ]]; then
		if ! type -P sudo >/dev/null; then
			for name in "${missing[@]}"; do
				names+=("$(real_name "$name")")
			done
			die "packages are missing, and this is not root; as root: apt-get update; apt-get install --no-install-recommends ${names[*]}"
		fi
		root=(sudo)
	fi
	log=$(mktemp) || die "cannot write to ${TMPDIR:-/tmp}"
	echo "assay: reading the lists of packages (apt-get update)" >&2
	"${root[@]}" apt-get -q update >"$log" 2>&1 || {
		sed -n 's/^\(E:\|Err:\)/assay: apt-get update: /p' "$log" | head -n 3 >&2
		echo "assay: going on with the lists that are there" >&2
	}
	for name in "${missing[@]}"; do
		names+=("$(real_name "$name")")
	done
	echo "assay: installing with apt-get: ${names[*]}" >&2
	if ! "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y install --no-install-recommends "${names[@]}" >"$log" 2>&1; then
		local why
		why=$(grep -m 1 '^E:' "$log" || tail -n 1 "$log")
		rm -f "$log"
		die "apt-get install ${names[*]} failed: $why; correct that and run the same command again"
	fi
	rm -f "$log"
}

if ((${#missing[@]})); then
	install_missing
	missing=()
	need
	((${#missing[@]} == 0)) || die "still missing after the installation: ${missing[*]}"
fi

# The lab: not on an ARM64 server that has KVM itself, but refvmm is linked everywhere.
present() { [[ -e $cache/$1/artefact.json ]]; }
lab() { PYTHONPATH=runner $python -m assay.lab.commands lab "$@" >/dev/null || exit 2; }

[[ -e $cache/arm64/lib/libz.a ]] || PYTHONPATH=runner $python -c '
import sys
from assay.errors import AssayError
from assay.lab import arm64
try:
    arm64.libraries()
except AssayError as e:
    sys.exit(f"assay: {e}")
' || exit 2
[[ $arch == aarch64 && -e /dev/kvm ]] && exit 0

cells=(k6.12-max)
kernels=(debian-6.12)
if [[ $profile == check ]]; then
	cells+=(k6.1-max k7.2-max)
	kernels+=(debian-6.1 debian-sid)
fi
for kernel in "${kernels[@]}"; do
	present "kernels/$kernel" || lab fetch "${cells[@]}"
done
if ! present qemu; then
	# the system's own may be new enough: only asking it tells, which is quick
	lab fetch "${cells[@]}"
fi
if [[ $profile == check ]] && ! present sshd; then
	PYTHONPATH=runner $python -c 'from assay.lab import arm64; arm64.sshd()' || exit 2
fi
# Kernels of the guests. One is built, which is the only thing here that may fail: what needs it is skipped then.
if [[ $profile == check ]]; then
	(ASSAY_BUILD_LIMIT=660 lab fetch guests-gicv3 guests-64k) ||
		echo "assay: going on; what needs the kernel that cannot be had is skipped" >&2
fi
exit 0
