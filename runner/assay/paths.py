# SPDX-License-Identifier: Apache-2.0
"""Where things stand: the tree, the bundle of static programs, the folder of runs."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "out"
BUNDLE = OUT / "build" / "bundle"
SCHEMA = ROOT / "reports" / "results.schema.json"
KNOWN = ROOT / "matrices" / "known.toml"


def shown(path: Path) -> str:
    """The path as a user would type it: relative to where they stand when it is below."""
    here = Path.cwd()
    full = Path(os.path.abspath(path))
    return str(full.relative_to(here)) if full.is_relative_to(here) else str(full)
