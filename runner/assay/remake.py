# SPDX-License-Identifier: Apache-2.0
"""`assay report`: the views of a run again; after an interruption its results too, from the stream."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from . import record, store, views
from .expect import load_known
from .paths import KNOWN, shown


def remade(folder: Path, rejudge: bool) -> dict:
    """The results of a run; rebuilt from its stream when there are none, or when they are to be judged anew."""
    if (folder / store.RESULTS).exists() and not rejudge:
        return store.read_results(folder)
    stream = folder / store.STREAM
    events = store.read_stream(stream)
    if rejudge:
        known = load_known(KNOWN).to_json()
        events = [{**event, "known": known} if event["ev"] == "plan" else event for event in events]
    results = record.rebuild(events, shown(stream))
    store.write_json(folder / store.RESULTS, results)
    record.validate(results, folder / store.RESULTS)
    return results


def command(args: Namespace, began: float) -> int:
    """The subcommand."""
    del began
    folder = store.find_run(Path(args.out), args.run)
    results = remade(folder, args.rejudge)
    views.write_all(results, folder)
    from . import summary

    if sys.stdout.isatty():
        from rich.console import Console

        summary.show(results, folder, Console(highlight=False))
    else:
        print("\n".join(summary.plain(results, folder)))
    return 0
