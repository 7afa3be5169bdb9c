"""The meaning of each value that is measured of an energy, for the results page."""

MEANINGS: dict[str, dict[str, str]] = {
    "landscape": {
        "minima": "local minima that training images descend to",
        "basins": "groups of minima that barriers of more than 1 nat divide",
        "depth": "median depth of a basin except the deepest, nats",
        "purity": "share of images in the most frequent class of their basin",
        "purity_shared": "the same, for basins of two images or more",
        "agreement": "share of minima whose neighbour across the lowest barrier has their class",
        "straight_basins": "basins, if barriers are taken on straight lines",
        "lowered": (
            "how much lower the best path's barrier is than the straight line's, median, nats"
        ),
        "straight_purity": "purity by straight lines",
        "straight_purity_shared": "purity_shared by straight lines",
        "straight_agreement": "agreement by straight lines",
    },
    "likelihood": {
        "log_z_lower": "lower bound of log Z, nats",
        "log_z_upper": "upper bound of log Z, nats; holds only if the gap is positive",
        "gap": "log_z_upper − log_z_lower, nats",
        "temperatures": "number of temperatures of the last estimate",
        "reached": "1 if the gap asked for was reached",
        "effective": "how many chains of the lower bound count",
        "nats_lower": "lower bound of the mean log-density of held-out images, nats",
        "bits_per_dim_lower": "the same in bits per dimension",
        "nats_upper": "upper bound of the mean log-density of held-out images, nats",
        "bits_per_dim_upper": "the same in bits per dimension",
        "uniform_nats": "log-density of the uniform distribution on [−1, 1], nats",
    },
    "importance_bound": {
        "nats": "lower bound of the generator's mean log-likelihood, nats",
        "elbo": "evidence lower bound, nats",
        "bits_per_dim": "`nats` in bits per dimension",
        "divergence": "the triangle's D on the same images, nats",
    },
    "mixing": {
        "energy_data": "mean energy of held-out images, nats",
        "energy_plain_1x": "mean energy after a short run, nats",
        "energy_plain_10x": "after 10 times as many steps",
        "energy_plain_100x": "after 100 times as many steps",
        "drift_plain": "change of the mean energy from 1x to 100x, in standard deviations",
        "rhat_plain": "largest potential scale reduction; above 1.1 chains differ",
        "ess_plain": "effective sample size of all chains together",
        "energy_corrected_1x": "mean energy after a short run, nats",
        "energy_corrected_10x": "after 10 times as many steps",
        "energy_corrected_100x": "after 100 times as many steps",
        "drift_corrected": "change of the mean energy from 1x to 100x, in standard deviations",
        "rhat_corrected": "largest potential scale reduction",
        "ess_corrected": "effective sample size of all chains together",
        "acceptance_corrected": "mean acceptance of MALA's proposals",
        "step_size_corrected": "MALA's tuned step",
    },
    "outliers": {
        "energy_gap": (
            "mean energy of held-out images − that of training images, nats; near 0 without "
            "overfitting"
        ),
        "auroc_noise": (
            "area under the ROC curve of the energy, uniform noise against held-out images"
        ),
        "auroc_constant": "the same for images of one colour",
        "auroc_noise_typicality": "the sign is the distance from the mean training energy",
        "auroc_noise_ratio": "the sign is the energy less the nats of a PNG file",
        "auroc_constant_typicality": "typicality, for images of one colour",
        "auroc_constant_ratio": "ratio, for images of one colour",
        "auroc_flipped": "the energy, held-out images with left and right exchanged",
        "auroc_permuted_quadrants": "the same for their quadrants in another order",
        "auroc_mixed_quadrants": "the same for quadrants of two images",
        "auroc_mean_of_two": "the same for the mean of two images",
        "auroc_maximum_of_two": "the same for the maximum of two images",
        "auroc_blurred": "the same for blurred images",
        "auroc_own_samples": "the same for the model's own samples; 1/2 if they are as likely",
    },
}
"""By measurement, then by value; a value that is not listed has no meaning on the page."""

NOTES: dict[str, str] = {
    "mixing": "`plain` is the model's own Langevin dynamics. `corrected` is MALA with a tuned step."
}
"""What stands above the table of a measurement."""
