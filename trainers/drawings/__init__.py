"""Drawings of what models do.

A drawing is a file of this package with a function `draw(trained, request)`, which returns a
picture, uint8 [h, w, c]. Its name is a task of `trainers.sample`. Its module's docstring is the
caption in help texts and reports. A drawing whose images may also be written one by one has a
function `images(trained, request, done=0)` besides, which yields parts [b, h, w, c] in [-1, 1] but
for the first `done`. `listing` finds the drawings; to add one is to add a file.
"""
