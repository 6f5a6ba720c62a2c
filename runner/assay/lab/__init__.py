# SPDX-License-Identifier: Apache-2.0
"""The lab: emulated ARM64 servers, described in lab/cells.toml, whose Linux offers real KVM.

::

    from assay.lab import LabCell, boot, load_cells
    from assay.lab.qemu import find_qemu

    qemu = find_qemu(None)                     # None: private copy or the system's; or a path of the user's
    cell = LabCell.load("k6.12-max")           # AssayError: unknown cell, malformed TOML
    reason = cell.available(qemu)              # None, or one line why this QEMU cannot run it
    with boot(cell, bundle, job_text, qemu=qemu, kernel=None) as host:
        for line in host.lines():              # bytes, one console line each: feed to assay.frames.FrameParser
            ...
    outcome = host.wait()                      # Outcome.kind: powered-off panic reset hang killed failed

`kernel` may be the path of an image (Image, vmlinuz) or .deb of the user's own. `boot()` fetches what is missing
in the cache and raises AssayError with one line when it cannot. `lines()` ends when the host is gone, whatever the
way; QEMU never outlives this process. When `outcome.kind` is not `powered-off`, boot again with the units that
have no `end` frame yet. `host.artefacts` names kernel, QEMU and their versions for the record.
"""

from .boot import Host, Outcome, boot
from .cells import DEFAULT_CELL, LabCell, load_cells

__all__ = ["DEFAULT_CELL", "Host", "LabCell", "Outcome", "boot", "load_cells"]
