"""The smallest experiments with a generator: 8x8 digits, narrow nets."""

from trainers.run import catalogue


def of(algorithm: str, *more: str) -> tuple[str, ...]:
    """Returns the flags of an algorithm's experiment, with others that may replace them."""
    return (
        f"--algorithm={algorithm}",
        "--nets=triangle_digits",
        "--dataset=digits",
        "--max_images=100",
        "--batch_size=8",
        "--steps=4",
        "--log_every=2",
        "--save_every=4",
        "--sample_every=4",
        *(f"--{role}.width=0.125" for role in catalogue.roles(algorithm)),
        *(f"--{role}.learning_rate=0.001" for role in catalogue.roles(algorithm)),
        *more,
    )


TRIANGLE = of("divergence_triangle", "--divergence_triangle.step_size=0.05")
VAE = of("vae")
ABP = of("abp", "--abp.langevin_steps=2", "--abp.inference_steps=2")
