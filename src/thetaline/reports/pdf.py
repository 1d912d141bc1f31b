"""A report as a PDF that everybody can read (PDF/UA-1, PDF/A-3a), set by typst with the embedded fonts alone."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from thetaline.charts import DataTable
from thetaline.reports.class_page import class_page
from thetaline.reports.class_value import ClassReport
from thetaline.reports.descriptors import Descriptors, default_descriptors
from thetaline.reports.extra import require
from thetaline.reports.glyphs import FOLDER, FONT, drawable
from thetaline.reports.learner_page import learner_page
from thetaline.reports.page import Block, Figure, Page, Section, Table
from thetaline.reports.value import WeeklyReport


@dataclass(frozen=True, slots=True)
class RenderedPdf:
    """The file, and the characters that no embedded font has and that stand in it as codes such as [U+1F600]."""

    data: bytes
    replaced: tuple[str, ...]


class PdfRenderer:
    """Fonts and template, loaded once; one for each process.

    Raises InputError where the extra `reports` is not installed.
    """

    def __init__(self, descriptors: Descriptors | None = None) -> None:
        """`descriptors` are the levels' names, the shipped ones unless given."""
        require("babel", "typst")
        import typst  # noqa: PLC0415 - the extra `reports`

        self._descriptors = descriptors or default_descriptors()
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FOLDER])
        template = Path(__file__).with_name("templates") / "page.typ"
        self._compiler = typst.Compiler(template, root=template.parent, font_paths=fonts, ignore_system_fonts=True)

    def render(self, report: WeeklyReport) -> RenderedPdf:
        """The learner's week; the same value gives the same bytes."""
        return self._set(learner_page(report, self._descriptors), report.as_of)

    def render_class(self, report: ClassReport) -> RenderedPdf:
        """The class's week."""
        return self._set(class_page(report), report.as_of)

    def _set(self, page: Page, as_of: date) -> RenderedPdf:
        content = drawable(json.dumps(_document(page), ensure_ascii=False))
        data = self._compiler.compile(
            format="pdf",
            sys_inputs={"page": content.text},
            pdf_standards=["ua-1", "a-3a"],
            timestamp=datetime.combine(as_of, time(), tzinfo=UTC),
        )
        if not isinstance(data, bytes):
            raise TypeError(f"typst gave {type(data).__name__} for one PDF; its bytes were expected")
        return RenderedPdf(data, content.replaced)


def _document(page: Page) -> dict[str, Any]:
    """The page as JSON values; text is data of the template, never its markup."""
    return {
        "language": page.language,
        "title": page.title,
        "kicker": page.kicker,
        "headline": page.headline,
        "lead": page.lead,
        "sections": [_section(section) for section in page.sections],
        "footer": page.footer,
        "appendix": {
            "title": page.appendix_title,
            "tables": [_table(table) for section in page.sections for table in _figure_tables(section)],
        },
        "font": FONT,
    }


def _section(section: Section) -> dict[str, Any]:
    return {"key": section.key, "title": section.title, "blocks": [_block(block) for block in section.blocks]}


def _block(block: Block) -> dict[str, Any]:
    if isinstance(block, Figure):
        text = block.chart.text
        return {"kind": block.kind, "svg": block.chart.standalone(font=FONT), "alt": text.alt, "caption": text.caption}
    if isinstance(block, Table):
        return {"kind": block.kind, **_table(block.table)}
    return asdict(block)


def _table(table: DataTable) -> dict[str, Any]:
    return {"caption": table.caption, "head": table.head, "rows": table.rows}


def _figure_tables(section: Section) -> list[DataTable]:
    return [table for block in section.blocks if isinstance(block, Figure) for table in block.chart.text.tables]
