"""Convolutions with fewer multiplications, by Toom-Cook (Winograd) products.

Along one axis, m outputs of r taps take m + r - 1 multiplications instead of m r. Both factors are
evaluated as polynomials at that many points and multiplied there, and the product is interpolated.
A stride splits an axis into phases, each a convolution of stride 1 with its share of the taps.

In two dimensions, the multiplications at each pair of points are a matrix product over channels.
Its rows are all tiles of all examples, and the phases of the image's rows count as channels.

Every transform is a matrix over a whole side, padding and stride included. So each step is a
product of matrices, and so is its gradient, and the adjoint convolution takes the same steps with
the matrices transposed. Rounding errors are a few times those of a direct convolution in float32.

Source: Lavin and Gray, Fast algorithms for convolutional neural networks, 2016.
"""

import math

import tensorflow as tf

from tfgen.nets.convolution.transforms import Plan


def prepared(kernel: tf.Tensor, plan: Plan) -> tf.Tensor:
    """Transforms a kernel to its values at the plan's points.

    Args:
        kernel: [height, width, in, filters].
        plan: see `transforms.plan`.

    Returns:
        [phases points of the columns, 1, points of the rows, phases of the rows times in, filters].
    """
    height, width, channels, filters = kernel.shape
    phases, points, _ = plan.rows.kernel.shape
    rows = tf.constant(plan.rows.kernel.reshape(-1, height), kernel.dtype)
    columns = tf.constant(plan.columns.kernel.reshape(-1, width), kernel.dtype)
    # first the rows, then the columns: each a product with the other sides as one long axis
    half = tf.matmul(rows, tf.reshape(kernel, [height, -1]))
    half = tf.reshape(half, [phases, points, width, channels * filters])
    half = tf.transpose(half, [2, 1, 0, 3])  # the rows' phases go beside the channels
    both = tf.matmul(columns, tf.reshape(half, [width, -1]))
    return tf.reshape(both, [columns.shape[0], 1, points, phases * channels, filters])


def convolve(x: tf.Tensor, prepared_kernel: tf.Tensor, plan: Plan) -> tf.Tensor:
    """Convolves images.

    Args:
        x: [b, h, w, in], of the plan's sides.
        prepared_kernel: see `prepared`.
        plan: see `transforms.plan`.

    Returns:
        [b, h', w', filters].
    """
    (rows, rows_back), (columns, columns_back) = _matrices(plan, x.dtype)
    # to the points, products over channels there, and back to maps
    tiles = _to_points(x, rows, columns, len(plan.rows.data))
    products = tf.matmul(_matching(tiles, prepared_kernel), prepared_kernel)
    return _from_points(_restored(products, x, plan), rows_back, columns_back, 1)


def transpose(y: tf.Tensor, prepared_kernel: tf.Tensor, plan: Plan) -> tf.Tensor:
    """Applies the adjoint of the convolution.

    Args:
        y: [b, h', w', filters].
        prepared_kernel: see `prepared`.
        plan: of the convolution, whose sides the result has.

    Returns:
        [b, h, w, in].
    """
    # the adjoint takes the steps backwards: the output's matrices lead to the points
    (rows_back, rows), (columns_back, columns) = _matrices(plan, y.dtype)
    tiles = _to_points(y, tf.transpose(rows), tf.transpose(columns), 1)
    matching = _matching(tiles, prepared_kernel)
    products = tf.matmul(matching, prepared_kernel, transpose_b=True)
    products = _restored(products, y, plan)
    phases = len(plan.rows.data)
    return _from_points(products, tf.transpose(rows_back), tf.transpose(columns_back), phases)


def _matrices(plan: Plan, dtype: tf.DType) -> list[tuple[tf.Tensor, tf.Tensor]]:
    """Returns the transforms of rows and of columns: those of the data and those of the output."""
    # The phases of the rows are channels, which the products over channels sum already. Those of
    # the columns are summed by the matrix that makes the output.
    pairs = (plan.rows.matrices(merged=True), plan.columns.matrices(merged=False))
    return [(tf.constant(data, dtype), tf.constant(output, dtype)) for data, output in pairs]


def _matching(tiles: tf.Tensor, prepared_kernel: tf.Tensor) -> tf.Tensor:
    """Shapes tiles so that each pair of points has a matrix beside that of the kernel.

    Args:
        tiles: [columns' multiplications, rows' points and tiles, b, c].
        prepared_kernel: see `prepared`.
    """
    columns, _, rows, _, _ = prepared_kernel.shape
    across, down, _, channels = tiles.shape
    tiles_across, tiles_down = across // columns, down // rows
    # tiles of a column and examples are the rows of one product
    factors = tiles_down * tf.shape(tiles)[2]
    return tf.reshape(tiles, [columns, tiles_across, rows, factors, channels])


def _restored(products: tf.Tensor, image: tf.Tensor, plan: Plan) -> tf.Tensor:
    """Shapes products as [columns' multiplications, rows' points and tiles, b, c]."""
    across = plan.columns.multiplications
    down = math.prod(plan.rows.output.shape[1:])
    return tf.reshape(products, [across, down, tf.shape(image)[0], products.shape[-1]])


def _to_points(x: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor, phases: int) -> tf.Tensor:
    """Applies a matrix to each side of images, and puts the phases of the rows beside channels.

    Args:
        x: [b, h, w, c].
        rows: [phases h', h].
        columns: [w', w].
        phases: of the rows.

    Returns:
        [w', h', b, phases c].
    """
    _, height, width, channels = x.shape
    across, down = columns.shape[0], rows.shape[0] // phases
    half = tf.matmul(rows, tf.reshape(x, [-1, height, width * channels]))
    half = tf.reshape(half, [-1, phases, down, width, channels])
    # batches of small products would take three times as long as this copy and one large product
    half = tf.transpose(half, [3, 2, 0, 1, 4])  # [w, h', b, phases, c]
    both = tf.matmul(columns, tf.reshape(half, [width, -1]))
    return tf.reshape(both, [across, down, -1, phases * channels])


def _from_points(
    products: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor, phases: int
) -> tf.Tensor:
    """Applies a matrix to each side of products at points, which gives images: undoes `_to_points`.

    Args:
        products: [w', h', b, phases c], with w' and h' the multiplications along the two axes.
        rows: [h, phases h'].
        columns: [w, w'].
        phases: of the rows; 1 where the phases are summed already.

    Returns:
        [b, h, w, c].
    """
    across, down, _, phases_and_channels = products.shape
    height, width = rows.shape[0], columns.shape[0]
    channels = phases_and_channels // phases
    # columns first, since their axis is in front; `_to_points` ends with them
    half = tf.matmul(columns, tf.reshape(products, [across, -1]))
    half = tf.reshape(half, [width, down, -1, phases, channels])
    half = tf.transpose(half, [2, 3, 1, 0, 4])  # [b, phases, h', w, c]
    # a phase is a part of the rows' axis again, over which this product sums
    both = tf.matmul(rows, tf.reshape(half, [-1, phases * down, width * channels]))
    return tf.reshape(both, [-1, height, width, channels])
