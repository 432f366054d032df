"""The browser shows what a station's computer would."""


def test_the_browser_speaks_chinese_and_keeps_china_time(page):
    assert page.evaluate("navigator.language") == "zh-CN"
    assert page.evaluate("new Date(Date.UTC(2026, 2, 5, 16)).getDate()") == 6


def test_chinese_letters_have_shapes_of_their_own(page):
    """Without a Chinese font each would be the same empty box, in the same width as the letter's box."""
    page.set_content("<p>守望䶮</p>")
    assert page.locator("p").inner_text() == "守望䶮"
    drawn = """letter => {
        const canvas = new OffscreenCanvas(40, 40), pen = canvas.getContext("2d");
        pen.font = "32px sans-serif"; pen.fillText(letter, 4, 34);
        return pen.getImageData(0, 0, 40, 40).data.join();
    }"""
    assert len({page.evaluate(drawn, letter) for letter in "守望䶮"}) == 3
