# SPDX-License-Identifier: Apache-2.0
"""The page: template, style sheet and script of reports/ and the record, in one file that needs no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from assay.errors import AssayError
from assay.paths import ROOT
from assay.report import view

FOLDER = ROOT / "reports"


def render(results: dict[str, Any], folder: Path = FOLDER) -> str:
    """The page as text."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True)
    environment.globals.update(plural=view.plural, duration=view.duration, anchor=view.anchor, by_name=view.by_name,
                               by_reason=view.by_reason)
    try:
        # Our own files, so they are markup: neither holds anything of the record.
        style = Markup((folder / "style.css").read_text("utf-8"))
        script = Markup((folder / "report.js").read_text("utf-8"))
        template = environment.get_template("report.html.j2")
    except (OSError, jinja2.TemplateError) as error:
        raise AssayError(f"{folder}: the report's template cannot be used: {error}") from error
    return template.render(style=style, script=script, **view.measured_sections(results))


def write_html(results: dict[str, Any], path: Path | str) -> None:
    """One self-contained page."""
    Path(path).write_text(render(results), "utf-8")
