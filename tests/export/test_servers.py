"""The client asks a server over REST and gRPC what it asks a directory, and gets the same."""

import numpy as np
import pytest
from support import command_line, serving_stub
from support.command_line import mistake

from export.clients import remote, request
from export.clients.exported import refusal
from export.clients.in_process import InProcess
from export.saved_model import examples, published, warmup
from tfgen import random
from tfgen.errors import UserError
from trainers.run.trained import restored

pytest.importorskip("tensorflow_serving")
pytestmark = pytest.mark.usefixtures("loaded_once")

SERVERS = {"REST": serving_stub.rest, "gRPC": serving_stub.grpc}


@pytest.fixture(scope="module")
def served(exported_triangle):
    return serving_stub.Served(exported_triangle / "saved_model" / "divergence_triangle" / "1")


@pytest.fixture(scope="module", params=SERVERS)
def server(request, served):
    """Its address."""
    with SERVERS[request.param](served) as address:
        yield address


def ask(where: list[str], task: str, workdir, output, *args: str) -> bytes:
    """Returns the picture that the client draws."""
    asked = [*where, f"--task={task}", f"--workdir={workdir}", "--count=4", f"--output={output}"]
    command_line.start("export.client", *asked, *args)
    return output.read_bytes()


@pytest.mark.parametrize(
    "task",
    [
        "complete",
        *(
            pytest.param(t, marks=pytest.mark.slow)
            for t in ("generate", "interpolate", "uncertainty")
        ),
    ],
)
def test_a_server_answers_as_the_directory_does(
    triangle, exported_triangle, server, tmp_path, task
):
    directory = exported_triangle / "saved_model" / "divergence_triangle"
    way = ["--steps=2"] if task in ("complete", "generate") else []
    here = ask([f"--saved_model={directory}"], task, triangle, tmp_path / "here.png", *way)
    there = ask(
        [f"--server={server}", "--model=divergence_triangle"],
        task,
        triangle,
        tmp_path / "there.png",
        *way,
    )
    assert here == there


def test_energies_come_from_a_server(triangle, exported_triangle, server, capsys):
    directory = exported_triangle / "saved_model" / "divergence_triangle"
    said = []
    for where in (
        [f"--saved_model={directory}"],
        [f"--server={server}", "--model=divergence_triangle"],
    ):
        asked = [*where, "--task=energy", f"--workdir={triangle}", "--count=4"]
        command_line.start("export.client", *asked)
        lines = capsys.readouterr().out.strip().split("\n")[1:]
        said.append([float(line.split()[1]) for line in lines])
    assert len(said[0]) == 4
    np.testing.assert_allclose(*said, rtol=1e-5)


def test_a_server_describes_the_model_as_the_directory_does(exported_triangle, server):
    directory = exported_triangle / "saved_model" / "divergence_triangle"
    found = remote.connect(server, "divergence_triangle").description
    assert found == InProcess(directory).description
    assert found.endpoints["complete"].inputs["num_steps"].default == 0
    assert found.facts["class"] == "LatentModel"


def test_a_request_is_rows_whose_names_are_the_signatures(triangle, server, served, tmp_path):
    served.requests.clear()
    ask(
        [f"--server={server}", "--model=divergence_triangle"],
        "complete",
        triangle,
        tmp_path / "o.png",
    )
    (request,) = served.requests
    if isinstance(request, dict):
        assert request["signature_name"] == "complete"
        assert len(request["instances"]) == 4
        row = request["instances"][3]
        assert {name: np.shape(value) for name, value in row.items()} == {
            "image": (8, 8, 1),
            "mask": (8, 8, 1),
            "seed": (2,),
            "num_steps": (),
        }
    else:
        assert type(request).DESCRIPTOR.full_name == "tensorflow.serving.PredictRequest"
        assert request.model_spec.name == "divergence_triangle"
        assert request.model_spec.signature_name == "complete"
        sides = {
            name: [d.size for d in value.tensor_shape.dim] for name, value in request.inputs.items()
        }
        assert sides == {
            "image": [4, 8, 8, 1],
            "mask": [4, 8, 8, 1],
            "seed": [4, 2],
            "num_steps": [4],
        }


def test_bytes_travel_as_base64_or_as_they_are(triangle, server, served):
    endpoints = published.endpoints(restored(triangle).model)
    given = examples.rows(endpoints["complete_png"], 2)
    found = remote.connect(server, "divergence_triangle").answer("complete_png", given)
    expected = served.answer("complete_png", given)
    assert [bytes(file) for file in found["image_bytes"]] == list(expected["image_bytes"])


def test_what_the_model_refuses_is_said_by_name(server):
    model = remote.connect(server, "divergence_triangle")
    with pytest.raises(UserError, match="image: expected finite numbers") as caught:
        model.answer("energy", {"image": np.full((1, 8, 8, 1), np.nan, np.float32)})
    assert "Assert" not in str(caught.value)


def test_a_model_that_is_not_there_is_said(server):
    asked = ["--task=energy", "--workdir=none", f"--server={server}", "--model=dream"]
    assert "dream" in mistake("export.client", *asked)


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "127.0.0.1:9"])
def test_a_server_that_is_not_there_is_said(address, tmp_path):
    asked = ["--task=energy", f"--server={address}", "--model=m"]
    sentence = mistake("export.client", *asked)
    assert "--server" in sentence
    assert "127.0.0.1:9" in sentence


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["--server=http://127.0.0.1:9"], ["--model"]),
        (
            ["--server=http://127.0.0.1:9", "--saved_model=here"],
            ["--saved_model", "--server", "both"],
        ),
        ([], ["--saved_model", "--server", "neither"]),
    ],
)
def test_the_client_wants_a_directory_or_a_server(args, named):
    sentence = mistake("export.client", "--task=energy", *args)
    for words in named:
        assert words in sentence


def test_grpc_without_the_extra_is_said(monkeypatch):
    monkeypatch.setattr(warmup, "available", lambda: False)
    assert "the extra `serving`" in mistake(
        "export.client", "--task=energy", "--server=127.0.0.1:9", "--model=m"
    )


def test_rows_have_seeds_of_their_own():
    found = request.seeds(random.root(0), 5)
    assert len({tuple(row) for row in found}) == 5


def test_a_refusal_is_what_the_check_said():
    check = "seed: expected the shape [any, 2] and found"
    said = f"Graph execution error:\n\nassertion failed: [{check}] [2 3]\n\t [[{{{{node"
    assert refusal(said) == f"{check} [2 3]"
    assert refusal("no\n such  thing") == "no such thing"
