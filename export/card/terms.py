"""Terms of use: of the code, and of data sets as far as their makers state them."""

CODE = "tfgen is under the MIT licence"

KNOWN = {
    "digits": "scikit-learn's copy of the test set of UCI's Optical Recognition of Handwritten "
    "Digits (E. Alpaydin, C. Kaynak, 1998); UCI asks to be cited",
    "mnist5k": "6,000 images of MNIST by Y. LeCun, C. Cortes and C. Burges: Creative Commons "
    "Attribution-ShareAlike 3.0 (CC BY-SA 3.0)",
    "textures/brick": "scikit-image's, from CC0Textures: Creative Commons CC0",
    "textures/grass": "scikit-image's, from DeviantArt: Creative Commons CC0",
    "textures/gravel": "scikit-image's, from CC0Textures: Creative Commons CC0",
    "mnist": "Y. LeCun, C. Cortes and C. Burges: Creative Commons Attribution-ShareAlike 3.0 "
    "(CC BY-SA 3.0)",
    "cifar10": "A. Krizhevsky; the page asks for a citation of the technical report of 2009 and "
    "states no licence",
    "celeb_a": "the Chinese University of Hong Kong: non-commercial research alone, images may not "
    "be passed on",
    "afhq": "NAVER Corporation, for StarGAN v2: Creative Commons Attribution-NonCommercial 4.0 "
    "(CC BY-NC 4.0)",
    "svhn_cropped": "Stanford: non-commercial use alone",
    "lsun": "see the pages of LSUN and of its pictures' owners; meant for research",
    "downsampled_imagenet": "ImageNet: non-commercial research and education alone",
    "toy": "points drawn from a known density; nobody's",
}
"""By name, or by what stands before its slash or colon."""

OWN = ("folder", "npz", "image", "video")
"""The kinds of data sets that are a user's own files."""


def of(dataset: str) -> str:
    """Returns the terms of a data set, in words.

    Args:
        dataset: as `--dataset` names it.
    """
    kind = dataset.partition(":")[0]
    if kind in OWN:
        return (
            f"the user's own files ({kind}), whose terms are not known here: know them before you "
            "pass the model on"
        )
    found = KNOWN.get(kind) or KNOWN.get(kind.partition("/")[0])
    return found or f"not known here; see TensorFlow Datasets on {kind}"
