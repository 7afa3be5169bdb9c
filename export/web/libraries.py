"""The page's libraries: LiteRT.js, as npm installed it by the lock file beside this one."""

import pathlib
import shutil

from tfgen.errors import UserError

HERE = pathlib.Path(__file__).parent
INSTALLED = HERE / "node_modules"
FILES = (
    "@litertjs/core/dist/index.js",
    "@litertjs/core/wasm/litert_wasm_internal.js",
    "@litertjs/core/wasm/litert_wasm_internal.wasm",
    "@litertjs/core/wasm/litert_wasm_compat_internal.js",  # for browsers without relaxed SIMD
    "@litertjs/core/wasm/litert_wasm_compat_internal.wasm",
    "@litertjs/wasm-utils/dist/index.js",
)
"""What the page needs of them."""


def check() -> None:
    """Checks that the libraries are installed.

    Raises:
        UserError: if a file of theirs is missing.
    """
    for name in FILES:
        if not (INSTALLED / name).is_file():
            raise UserError(
                f"the page needs LiteRT.js: expected {name} in {INSTALLED} and found no such file; "
                f"`npm ci --prefix {HERE}` fetches it once (19 MB, into the installed package "
                "itself, which you must be allowed to write to); in a clone, `make page-libraries`"
            )


def copy(directory: pathlib.Path) -> None:
    """Copies them.

    Args:
        directory: where to; made.
    """
    for name in FILES:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(INSTALLED / name, directory / name)
