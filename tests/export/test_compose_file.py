"""The compose file opens nothing to the network, and names the server's version."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]


def test_the_server_listens_on_this_machine_alone_in_a_version_of_its_own():
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    ports = re.findall(r'- "([\d.:]*:\d+)"', text)
    assert ports == ["127.0.0.1:8500:8500", "127.0.0.1:8501:8501"]
    (image,) = re.findall(r"image: (\S+)", text)
    assert re.fullmatch(r"tensorflow/serving:\d+\.\d+\.\d+", image)
    page = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    assert image in page
    assert not re.findall(r"-p \d+:\d+", page)
