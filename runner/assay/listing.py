# SPDX-License-Identifier: Apache-2.0
"""`assay list`: what can be run, read from the programs."""

from __future__ import annotations

import json
from argparse import Namespace
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from .paths import ROOT
from .plan import matrix_globs, select
from .tests import load


def command(args: Namespace, began: float) -> int:
    """The subcommand."""
    del began
    tests = load(Path(args.bundle))
    globs = matrix_globs(args.matrix, ROOT / "matrices")[1] if args.matrix else None
    tests = select(tests, args.tests, args.tag, args.exclude, globs, slow=True)
    if args.tags or args.suites:
        counted = Counter(tag for test in tests for tag in test.tags) if args.tags else Counter(t.suite for t in tests)
        if args.json:
            print(json.dumps(counted, indent=1))
        else:
            for name, number in sorted(counted.items()):
                print(f"{number:5} {name}")
    elif args.json:
        print(json.dumps([{"id": test.id, **{k: v for k, v in asdict(test).items() if k != "order"}} for test in tests],
                         indent=1))
    elif args.long:
        width = max(len(test.id) for test in tests)
        for test in tests:
            print(f"{test.id:{width}}  {test.kind:5}  {test.rule or '-':16}  {test.limit_ms:6} ms  "
                  f"{','.join(test.tags) or '-':16}  {test.file}:{test.line}")
    else:
        for test in tests:
            print(test.id)
    return 0
