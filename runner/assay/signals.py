# SPDX-License-Identifier: Apache-2.0
"""Names for the numbers processes end with (abi/assay/exit.h, signal(7))."""

from __future__ import annotations

import signal

OK, FAILED, USAGE, REFUSED, LACKS, HOST, GUEST, LIMIT = range(8)

_EXITS = {
    FAILED: "a test reported a failure", USAGE: "bad command line or unreadable input",
    REFUSED: "refused: not offered at all", LACKS: "the host lacks a capability", HOST: "a host call failed",
    GUEST: "the guest crashed or asked for a reset", LIMIT: "time limit", 126: "the program cannot be run",
    127: "the program was not found",
}


def exit_text(status: int) -> str:
    """`exit status 5: a host call failed`."""
    meaning = _EXITS.get(status)
    return f"exit status {status}" + (f": {meaning}" if meaning else "")


def signal_text(number: int) -> str:
    """`SIGSEGV`, or `signal 77`."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
