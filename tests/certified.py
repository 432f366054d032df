"""Certificates as tests need them: many services on one person, the PDF's text and pictures, the code read back from the picture."""

from datetime import timedelta
from functools import partial

import pypdfium2
import zxingcpp
from world import local

from ledger.certificates import printing, register
from ledger.checking.certificates import Certificate
from ledger.people.actors import OPERATOR

ADDRESS = "https://volunteer.example.gov.cn"
TITLES = ("“邻里守望”看望独居老人", "周末清洁家园", "平安巡逻（东片）", "义诊与健康咨询进社区暨“学雷锋月”集中服务活动")


def serve_long(world, person, count, *, since="2020-01-02", organisation=None):
    """Give somebody as many settled services as are wanted, one a day, of every grade and several series."""
    first, drafts = local(f"{since} 09:00"), []
    for number in range(count):
        day = first + timedelta(days=number)
        shared = world.activity(title=TITLES[number % 4], series=("neighbour-care", "safe-community", "culture", "other")[number % 4])
        said = {"grade": "ABCD"[number % 4], "settled": True, "activity": shared, "organisation": organisation}
        drafts.append(world.draft(person, f"{day:%Y-%m-%d} 09:00", "10:30", **said))
    return [one.index for one in world.serve_many(drafts, OPERATOR)]


def certificate_of(world, number) -> Certificate:
    with world.read() as tx:
        return register.certificate(tx, register.get(tx, number))


def pdf_of(world, number, **said) -> bytes:
    with world.read() as tx:
        return printing.print_pdf(certificate_of(world, number), ADDRESS, partial(world.ledger.signing.sign_text, tx.connection), **said)


def pages_of(pdf: bytes) -> list[str]:
    """Give each page's text as a reader extracts it."""
    with pypdfium2.PdfDocument(pdf) as document:
        found = []
        for page in document:
            text = page.get_textpage()
            found.append(text.get_text_bounded())
            text.close()
            page.close()
        return found


def attachments_of(pdf: bytes) -> dict[str, bytes]:
    with pypdfium2.PdfDocument(pdf) as document:
        found = [document.get_attachment(place) for place in range(document.count_attachments())]
        return {one.get_name(): bytes(one.get_data()) for one in found}


def codes_on(pdf: bytes, scale: float = 4) -> list[str]:
    """Read the codes on the first page as a camera would: from its picture."""
    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0]
        drawn = page.render(scale=scale, grayscale=True)
        pixels = bytes(drawn.buffer)
        picture = zxingcpp.ImageView(pixels, drawn.width, drawn.height, zxingcpp.ImageFormat.Lum, drawn.stride)
        found = [one.text for one in zxingcpp.read_barcodes(picture)]
        drawn.close()
        page.close()
        return found
