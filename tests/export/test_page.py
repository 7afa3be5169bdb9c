"""The page in a browser: what a person sees there is what the library computes.

Chromium and npm must be installed, and the latter installs the page's libraries by their lock file.
"""

import numpy as np
import pytest
import tensorflow as tf
from support.browsing import HALF, PATIENCE, own, seen, wait

from tfgen.models import LatentModel

pytestmark = pytest.mark.slow


def prior(model: LatentModel, seed: int) -> np.ndarray:
    """Returns what the SavedModel generates of this seed."""
    return model.generate(1, tf.constant(own(seed))).numpy()


def test_a_real_digit_is_completed_as_the_library_does(visit, triangle_page):
    """With the same noise; the page's picture has 256 shades."""
    page = visit(triangle_page)
    model = triangle_page.run.model
    completions = []
    for seed in (1, 7):
        page.fill("#seed", str(seed))
        page.click("#complete")
        wait(page, f"Completed with seed {seed}.")
        expected = model.complete(
            tf.constant(triangle_page.image), tf.constant(HALF), tf.constant(own(seed))
        ).numpy()
        found = seen(page, "completion")
        assert np.abs(found - expected).mean() < 0.02
        assert np.abs(found - expected).max() < 0.05
        assert np.abs(found - HALF * found).max() > 0.5  # something was put there
        completions.append(found)
    assert np.abs(completions[0] - completions[1]).max() > 0.01


def test_the_page_works_under_its_own_policy(browser, energy_page):
    """Its scripts, its WebAssembly, its pictures and its styles are all that it loads."""
    page = browser.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(energy_page.address)
    page.wait_for_selector("main:not([inert])", timeout=PATIENCE)
    page.click("#complete")
    page.wait_for_selector("#film li:nth-child(2)", timeout=PATIENCE)
    assert not [text for text in said if "Content Security Policy" in text], said
    page.close()


def test_a_completion_is_refined_under_the_energy_as_the_library_does(visit, triangle_page):
    """Three Langevin steps after the rounds, with the library's own noise."""
    page, model = visit(triangle_page), triangle_page.run.model
    page.fill("#refine-steps", "3")
    page.fill("#seed", "1")
    page.click("#complete")
    wait(page, "Completed with seed 1.")
    image, seed = tf.constant(triangle_page.image), tf.constant(own(1))
    refined, plain = (model.complete(image, tf.constant(HALF), seed, n).numpy() for n in (3, 0))
    assert np.abs(refined - plain).mean() > 0.005
    found = seen(page, "completion")
    assert np.abs(found - refined).mean() < 0.003
    assert np.abs(found - refined).max() < 0.05


def test_a_completion_is_seen_step_by_step(visit, triangle_page):
    page = visit(triangle_page)
    page.click("#complete")
    wait(page, "Completed")
    rounds = triangle_page.run.model.completion_rounds
    assert page.locator("#film figcaption").all_text_contents() == [
        "start",
        *(f"step {i + 1}" for i in range(rounds)),
    ]
    page.fill("#steps", "1")
    page.click("#complete")
    wait(page, "Completed with seed 2.")
    assert page.locator("#film figcaption").all_text_contents() == ["start", "step 1"]


def test_several_completions_show_where_they_differ(visit, triangle_page):
    page = visit(triangle_page)
    page.fill("#several-count", "5")
    page.click("#several")
    wait(page, "Completed 5 times")
    assert page.locator("#completions canvas").count() == 5
    shown = page.evaluate(
        """() => [...document.querySelectorAll("#completions canvas")].map((canvas) =>
          [...canvas.getContext("2d").getImageData(0, 0, 8, 8)
            .data.filter((_, i) => i % 4 === 0)])"""
    )
    shown = np.array(shown, np.float32).reshape(-1, 8, 8, 1) / 127.5 - 1
    np.testing.assert_allclose(seen(page, "mean")[0], shown.mean(axis=0), atol=0.02)
    assert float(page.text_content("#spread-most")) == pytest.approx(
        shown.std(axis=0).max(), abs=0.02
    )
    known = seen(page, "spread")[HALF == 1]
    assert (known == known[0]).all()  # the ramp's darkest


def test_pictures_are_generated_and_put_on_the_easel(visit, triangle_page):
    page = visit(triangle_page)
    page.fill("#generate-count", "3")
    page.click("#generate")
    wait(page, "Generated 3")
    page.click("#generated li:nth-child(2) button")
    model = triangle_page.run.model
    np.testing.assert_allclose(seen(page, "picture"), np.clip(prior(model, 2), -1, 1), atol=0.02)


def test_the_slider_goes_from_one_picture_to_the_other(visit, triangle_page):
    page = visit(triangle_page)
    page.click("[data-end=first][data-from=easel]")
    model = triangle_page.run.model
    image, drawn = tf.constant(triangle_page.image), prior(model, 1001)
    np.testing.assert_allclose(seen(page, "second"), np.clip(drawn, -1, 1), atol=0.02)
    for position, expected in ((0, model.reconstruct(image)), (1, drawn)):
        page.fill("#position", str(position))
        page.wait_for_function(
            "p => document.getElementById('position-output').textContent === p",
            arg=f"{100 * position} %",
        )
        page.wait_for_timeout(100)
        np.testing.assert_allclose(seen(page, "between"), np.clip(expected, -1, 1), atol=0.02)


def test_the_keyboard_paints(visit, triangle_page):
    page = visit(triangle_page)
    page.click("text=Empty picture")
    page.click("text=Reveal all")
    page.focus("[name=tool]:checked")
    for key in (
        "ArrowRight",
        "ArrowRight",
        "Tab",
        "Tab",
        "Tab",
    ):  # to Draw; past the brush, onto what follows it
        page.keyboard.press(key)
        if page.evaluate("document.activeElement.id") == "editor":
            break
    assert page.evaluate("document.activeElement.id") == "editor"
    for key in ("ArrowUp", "ArrowLeft", " ", "ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    expected = np.full((1, 8, 8, 1), -1.0)
    expected[0, 3, 3] = expected[0, 4, 4] = 1
    np.testing.assert_array_equal(seen(page, "picture"), expected)
    assert page.text_content("#cursor") == "Row 5, column 5: 100 % light."


def test_the_pointer_hides_what_is_then_completed(visit, triangle_page):
    page = visit(triangle_page)
    page.click("text=Reveal all")
    box = page.locator("#editor").bounding_box()
    page.mouse.move(box["x"] + 1, box["y"] + 1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + 1)
    page.mouse.up()
    page.click("#complete")
    wait(page, "Completed")
    differ = np.abs(seen(page, "completion") - triangle_page.image) > 0.02
    assert differ[0, 0].any()  # the first row, and nothing else
    assert not differ[0, 1:].any()


def test_a_picture_is_opened(visit, triangle_page):
    page = visit(triangle_page)
    example = triangle_page.directory / "examples" / "05.png"
    page.set_input_files("#upload", example)
    wait(page, "Opened 05.png.")
    expected = triangle_page.run.images.test.shown(6)[5:6]
    np.testing.assert_allclose(seen(page, "picture"), expected, atol=0.02)
    page.set_input_files("#upload", triangle_page.directory / "style.css")
    page.wait_for_selector("#trouble:visible")
    assert page.text_content("#trouble") == "style.css: expected a picture and could not read one."


@pytest.mark.parametrize("colour_scheme", ["light", "dark"])
def test_the_page_fits_a_phone(visit, triangle_page, colour_scheme):
    page = visit(
        triangle_page,
        viewport={"width": 360, "height": 740},
        has_touch=True,
        color_scheme=colour_scheme,
    )
    page.click("#several")
    wait(page, "Completed 20 times")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    light = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0] > 127")
    assert light == (colour_scheme == "light")


def test_of_an_energy_there_is_no_slider_and_a_completion_is_langevins(visit, energy_page):
    """From the reference's noise, by the same steps as the library's of the same seed."""
    page = visit(energy_page)
    assert not page.is_visible("#interpolating")
    page.click("#complete")
    wait(page, "Completed with seed 1.")
    model = energy_page.run.model
    x = model.complete(
        tf.constant(energy_page.image), tf.constant(HALF), tf.constant(own(1)), 5
    ).numpy()
    found = seen(page, "completion")
    assert np.abs(found - x).mean() < 0.02
    said = page.text_content("#completion-energy").replace("−", "-").split()
    assert float(said[1]) == pytest.approx(float(model.energy(tf.constant(x))[0]), abs=0.5)
    page.fill("#generate-count", "2")
    page.click("#generate")
    wait(page, "Generated 2")


def test_what_goes_on_is_stopped_by_the_button_that_began_it(visit, energy_page):
    page = visit(energy_page)
    page.fill("#steps", "10000")
    for button, said in (
        ("#complete", "Stopped with seed 1."),
        ("#several", "Stopped after 0 times"),
    ):
        page.click(button)
        assert page.text_content(button) == "Stop"
        page.click(button)
        wait(page, said)
        assert page.text_content(button) != "Stop"


def test_a_completion_is_of_the_picture_as_it_was_begun_with(visit, triangle_page):
    """Whatever is painted meanwhile."""
    page = visit(triangle_page, reduced_motion="no-preference")
    page.click("#complete")
    page.click("text=Reveal all")
    page.click("text=Empty picture")
    wait(page, "Completed with seed 1.")
    first = seen(page, "completion")
    page.click("#examples li:first-child button")
    page.click("text=Hide the lower half")
    page.fill("#seed", "1")
    page.click("#complete")
    wait(page, "Completed with seed 1.")
    np.testing.assert_array_equal(seen(page, "completion"), first)


def test_what_is_not_a_number_of_steps_is_said(visit, energy_page):
    page = visit(energy_page)
    page.fill("#steps", "0")
    page.click("#complete")
    page.wait_for_selector("#trouble:visible")
    assert page.text_content("#trouble") == "Steps: expected a whole number from 1 to 10000."


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("models/energy.tflite", None, "models/energy.tflite is missing (404)"),
        ("models/energy.tflite", b"nothing of the kind", "models/energy.tflite is damaged"),
        ("model.json", None, "model.json is missing (404)"),
        (
            "libraries/@litertjs/core/wasm/litert_wasm_internal.wasm",
            b"no wasm",
            "runtime did not start",
        ),
        ("libraries/@litertjs/core/wasm/litert_wasm_internal.js", None, "runtime did not start"),
    ],
)
def test_what_fails_is_said(visit, energy_page, name, content, said):
    path = energy_page.directory / name
    whole = path.read_bytes()
    try:
        path.unlink() if content is None else path.write_bytes(content)
        page = visit(energy_page, ready=False)
        assert said in page.text_content("#trouble")
    finally:
        path.write_bytes(whole)


def test_what_is_loading_is_said(browser, triangle_page):
    page = browser.new_page()
    page.route("**/decode.tflite", lambda route: None)  # never answered
    page.goto(triangle_page.address)
    wait(page, "Loading decode.tflite, file 2 of 5")
    page.close()


def test_a_page_opened_as_a_file_says_how_to_serve_it(browser, energy_page):
    page = browser.new_page()
    page.goto((energy_page.directory / "index.html").as_uri())
    assert "python -m http.server" in page.text_content("#trouble")
    page.close()
