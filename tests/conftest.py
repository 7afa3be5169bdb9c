"""What holds for all tests."""

import tfgen  # noqa: F401  its settings of TensorFlow's start-up, before a test imports that
