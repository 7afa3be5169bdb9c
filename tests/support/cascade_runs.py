"""The smallest experiments of introspective networks: a texture in patches, and whole digits."""

SHORT = (
    "--algorithm=introspective",
    "--batch_size=6",
    "--steps=20",
    "--log_every=2",
    "--save_every=20",
    "--sample_every=20",
    "--guard_factor=1e9",
    "--discriminator.width=0.1",
    "--introspective.stages=3",
    "--introspective.stage_updates=3",
    "--introspective.samples=3",
    "--introspective.memory=2",
    "--introspective.synthesis_steps=5",
    "--introspective.step_size=0.05",
)

TEXTURE = (
    *SHORT,
    "--nets=dcgan64",
    "--dataset=textures/brick",
    "--image_size=32",
    "--patch_size=16",
    "--test_fraction=0",
    "--introspective.canvas=24",
    "--introspective.padding=8",
    "--introspective.patches=6",
)
"""Three classifiers of 16x16 patches."""

DIGITS = (*SHORT, "--nets=dcgan_digits", "--dataset=digits", "--max_images=100")
"""Three classifiers of whole 8x8 images."""
