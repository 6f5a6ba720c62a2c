# SPDX-License-Identifier: Apache-2.0
"""The command line. Modules of a command are imported when it runs, so that each command starts at once."""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
import time
from typing import Any, NoReturn

from .errors import AssayError
from .paths import BUNDLE, OUT, shown

EPILOG = "Exit status: 0 all as expected, 1 unexpected results or a regression, 2 it could not be done."


class Parser(argparse.ArgumentParser):
    """argparse, with errors as one line that names what is close, and no guessing at shortened options."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        found = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
        if found:
            word, choices = found.group(1), re.findall(r"'([^']*)'", found.group(2))
            close = difflib.get_close_matches(word, choices, n=3)
            hint = f"; close: {', '.join(close)}" if close else f"; one of {', '.join(choices)}"
            message = f"there is no '{word}'{hint}"
        found = re.fullmatch(r"unrecognized arguments: (.*)", message)
        if found:
            word = found.group(1).split()[0]
            options = [option for action in self.options() for option in action]
            close = difflib.get_close_matches(word.partition("=")[0], list(dict.fromkeys(options)), n=2)
            message = f"there is no option '{word}'" + (f"; close: {', '.join(close)}" if close else "")
        raise AssayError(f"{self.prog}: {message}; see `{self.prog} --help`")

    def options(self) -> list[list[str]]:
        """The option strings of this parser and of its subcommands."""
        found = [list(action.option_strings) for action in self._actions]
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                for parser in action.choices.values():
                    found += [list(inner.option_strings) for inner in parser._actions]
        return found


def duration_ms(text: str) -> int:
    """`500ms`, `2s`, `10m`, `8h`; a bare number is milliseconds."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)(ms|s|m|h)?", text)
    if not found:
        raise argparse.ArgumentTypeError(f"'{text}' is no duration; write 500ms, 2s, 10m or 8h")
    ms = int(float(found.group(1)) * {"ms": 1, None: 1, "s": 1000, "m": 60_000, "h": 3_600_000}[found.group(2)])
    if not 1 <= ms <= 24 * 3_600_000:
        raise argparse.ArgumentTypeError(f"'{text}' is not between 1 ms and 24 h")
    return ms


def seed(text: str) -> int:
    """0x5eed or decimal, up to 64 bits."""
    try:
        value = int(text, 0)
    except ValueError:
        value = -1
    if not 0 <= value < 1 << 64:
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 0 to 2^64-1, such as 0x5eed")
    return value


def path(text: str) -> str:
    """A path; an unset shell variable must not silently mean the default."""
    if not text:
        raise argparse.ArgumentTypeError("the path is empty")
    return text


def count(text: str) -> int:
    """1 to 10000."""
    if not re.fullmatch(r"[1-9]\d{0,4}", text) or int(text) > 10_000:
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 1 to 10000")
    return int(text)


def scale(text: str) -> float:
    """0.1 to 1000."""
    if not re.fullmatch(r"\d{1,4}(?:\.\d+)?", text) or not 0.1 <= float(text) <= 1000:
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 0.1 to 1000")
    return float(text)


def seconds(text: str) -> float:
    """0 to 86400."""
    if not re.fullmatch(r"\d{1,5}(?:\.\d+)?", text) or float(text) > 86_400:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of seconds from 0 to 86400")
    return float(text)


def _selection(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("which tests (default: all that are not slow)")
    group.add_argument("tests", nargs="*", metavar="GLOB",
                       help="id, glob or suite: gic.sgi_to_self, 'gic.*', 'timer.*@v2', gic")
    group.add_argument("--tag", action="append", default=[], metavar="TAG",
                       help="only tests with this tag (repeatable: any of them)")
    group.add_argument("--all", action="store_true", help="slow tests too, without naming them")
    group.add_argument("--exclude", action="append", default=[], metavar="GLOB", help="leave these out (repeatable)")
    group.add_argument("--matrix", action="append", default=[], metavar="NAME",
                       help="only the tests this matrix names, and only this matrix is decided; "
                            "a name or a TOML file (repeatable)")


def _bundle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", type=path, default=shown(BUNDLE), metavar="DIR",
                        help="folder of the programs that run on the host (default: %(default)s)")


def _out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=path, default=shown(OUT), metavar="DIR", help="folder of the runs (default: %(default)s)")


def _run(sub: argparse._SubParsersAction) -> None:
    parser = sub.add_parser("run", help="run tests, judge, report", epilog=EPILOG,
                            description="Run tests on an ARM64 host, decide the matrices, write the report. Without "
                            "--host, --cell or --native: on this machine when it is an ARM64 server with KVM, else "
                            "in the default cell of the lab.")
    _selection(parser)
    where = parser.add_argument_group("where")
    where.add_argument("--cell", action="append", default=[], metavar="GLOB",
                       help="cell of the lab, by name or glob (repeatable); ./assay lab list shows them")
    where.add_argument("--kernel", type=path, metavar="PATH",
                       help="boot the cell with this kernel: Image, vmlinuz or .deb (arm64)")
    where.add_argument("--qemu", type=path, metavar="PATH", help="QEMU for the lab, 7.2 or newer")
    where.add_argument("--host", action="append", default=[], metavar="URL",
                       help="ssh://[USER@]HOST[:PORT]: an ARM64 server; needs a shell there, nothing else (repeatable)")
    where.add_argument("--ssh-option", action="append", default=[], metavar="OPT",
                       help="passed to ssh as -o OPT (repeatable)")
    where.add_argument("--reconnect", type=seconds, default=120.0, metavar="SECONDS",
                       help="how long to wait for an ssh host that went down (default: 120)")
    where.add_argument("--native", action="store_true", help="on this machine, or not at all")
    how = parser.add_argument_group("how")
    how.add_argument("--seed", type=seed, metavar="N",
                     help="seed of the random tests, 64 bits, decimal or 0x hex (default: a new one each run)")
    how.add_argument("--jobs", "-j", type=count, metavar="N",
                     help="lab hosts at once: of several cells, or of one that share its tests (default: 2)")
    how.add_argument("--repeat", type=count, default=1, metavar="N",
                     help="run the plan N times; a test's verdict is its worst (default: 1)")
    how.add_argument("--time", type=duration_ms, metavar="T",
                     help="how long each stress test runs: 500ms, 2s, 10m, 8h (default: the test's own, 2s)")
    how.add_argument("--time-scale", type=scale, metavar="X",
                     help="multiply every time limit by X, 0.1 to 1000 (default: 1; in the lab the cell's)")
    _bundle(parser)
    _out(parser)
    parser.add_argument("--counts", action="store_true",
                        help="end with the line `N passed, N failed, N skipped`; failed is all that was unexpected")
    parser.add_argument("--json", action="store_true", help="print results.json on stdout; progress goes to stderr")
    parser.set_defaults(module="run")


def _others(sub: argparse._SubParsersAction) -> None:
    parser = sub.add_parser("list", help="list tests, tags or suites", description="List what can be run; nothing is.")
    _selection(parser)
    parser.add_argument("--tags", action="store_true", help="list the tags and how many tests have each")
    parser.add_argument("--suites", action="store_true", help="list the suites and how many tests each has")
    parser.add_argument("--long", "-l", action="store_true", help="with kind, rule, limit (ms), tags and source line")
    parser.add_argument("--json", action="store_true", help="as JSON")
    _bundle(parser)
    parser.set_defaults(module="listing")

    parser = sub.add_parser("show", help="everything recorded about one test",
                            description="Everything recorded about one test: values, logs, facts, replay command.")
    parser.add_argument("test", metavar="TEST", help="id or glob of tests")
    parser.add_argument("--run", metavar="RUN", help="folder, id or beginning of an id (default: the latest)")
    parser.add_argument("--json", action="store_true", help="the entries of results.json")
    parser.add_argument("--trace", action="store_true", help="the time line of refvmm's flight recorder instead")
    _out(parser)
    parser.set_defaults(module="show")

    parser = sub.add_parser("report", help="make a run's reports again",
                            description="Make every view of a run again; for a run that was interrupted, results.json "
                            "too, from what its stream holds.")
    parser.add_argument("run", nargs="?", metavar="RUN", help="folder, id or beginning of an id (default: the latest)")
    parser.add_argument("--rejudge", action="store_true",
                        help="decide the matrices and known failures anew, from the stream and today's tables")
    _out(parser)
    parser.set_defaults(module="remake")

    parser = sub.add_parser("diff", help="what changed between two runs", epilog=EPILOG,
                            description="What changed from run A to run B: verdicts of tests, rows of matrices, facts. "
                            "Exit status 1 when something got worse.")
    parser.add_argument("a", metavar="A", help="the older run: folder, id or beginning of an id")
    parser.add_argument("b", metavar="B", nargs="?", help="the newer one (default: the latest)")
    parser.add_argument("--json", action="store_true", help="as JSON")
    _out(parser)
    parser.set_defaults(module="diff")

    parser = sub.add_parser("matrix", help="the decided matrices of a run",
                            description="Each row of a matrix with claim, measured and verdict.")
    parser.add_argument("name", nargs="?", metavar="NAME", help="one matrix (default: all)")
    parser.add_argument("--list", action="store_true", help="list the matrices and how many rows each has")
    parser.add_argument("--run", metavar="RUN", action="append", default=[],
                        help="folder, id or beginning of an id (default: the latest); repeatable with --across")
    parser.add_argument("--across", action="store_true",
                        help="rows against hosts: one sign a host, what was measured, and which rows no host decides")
    parser.add_argument("--json", action="store_true", help="as JSON")
    _out(parser)
    parser.set_defaults(module="matrix")

    parser = sub.add_parser("doctor", help="what is there and what is missing",
                            description="Tools, KVM, programs, QEMU, cells and cached kernels; exit status 2 when "
                            "nothing can be run.")
    parser.add_argument("--qemu", type=path, metavar="PATH", help="look at this QEMU")
    parser.set_defaults(module="doctor")


def make_parser(lab: bool = True) -> Parser:
    """The whole command line; `lab` False leaves the lab's own commands out, which take long to import."""
    parser = Parser(prog="assay", description="Assay: what the KVM of an ARM64 server supports, measured and judged.",
                    epilog=EPILOG)
    parser.add_argument("--version", action="store_true", help="print the version and end")
    sub = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)
    _run(sub)
    _others(sub)
    if lab:
        from .lab import commands

        commands.add_parser(sub)
    else:
        sub.add_parser("lab", help="the emulated ARM64 servers")
    return parser


def main(argv: list[str], began: float | None = None) -> int:
    """Run a command; every AssayError is one line on stderr."""
    began = time.monotonic() if began is None else began
    try:
        parser = make_parser(lab="lab" in argv)
        args = parser.parse_args(argv)
        args.argv = argv
        if args.version:
            from .record import assay_version

            print(f"assay {assay_version()}")
            return 0
        if not hasattr(args, "module") and not hasattr(args, "function"):
            raise AssayError("assay: no command given; see `assay --help`")
        if hasattr(args, "function"):
            return args.function(args) or 0
        import importlib

        return importlib.import_module(f".{args.module}", __package__).command(args, began)
    except AssayError as e:
        print(f"assay: {e}".replace("assay: assay", "assay", 1), file=sys.stderr)
        return e.exit_status
    except ModuleNotFoundError as e:
        if (e.name or "").partition(".")[0] == __package__:
            raise
        print(f"assay: the Python library {e.name} is missing: `make setup-run` installs it "
              "(`./assay doctor` names the packages)", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `./assay list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("assay: interrupted", file=sys.stderr)
        return 2
