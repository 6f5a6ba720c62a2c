# SPDX-License-Identifier: Apache-2.0
"""The one exception a user sees: a single line that says what failed, with which value, and what to do."""


class AssayError(Exception):
    """Something could not be done; `assay` prints the message as one line on stderr and ends with `exit_status`."""

    exit_status = 2

    def __init__(self, message: str, exit_status: int = 2) -> None:
        super().__init__(" ".join(str(message).split()))
        self.exit_status = exit_status
