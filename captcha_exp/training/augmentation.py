"""Random changes to training images, the same for the same seed."""

import math

import tensorflow as tf

from captcha_exp.config import AugmentationConfig

# Columns of the one draw of uniform numbers in [-1, 1] that all changes but the noise share.
_ROTATION, _SHEAR, _SCALE_X, _SCALE_Y, _SHIFT_X, _SHIFT_Y, _BRIGHTNESS, _CONTRAST, _NOISE, _ERASE = range(10)
_ERASE_HEIGHT, _ERASE_WIDTH, _ERASE_Y, _ERASE_X, _DRAWS = range(10, 15)


def augment(images: tf.Tensor, seed: tf.Tensor, augmentation: AugmentationConfig) -> tf.Tensor:
    """Alter each image on its own, by amounts drawn evenly up to the bounds of the configuration.

    Args:
        images: float32 (B, H, W, 1) in [0, 1].
        seed: int32 (2,); decides everything drawn.
        augmentation: bounds; what is 0 is left out of the graph.

    Returns:
        float32 (B, H, W, 1) in [0, 1].
    """
    if not any(augmentation.bounds):
        return images
    draws = tf.random.stateless_uniform((tf.shape(images)[0], _DRAWS), seed, -1.0, 1.0)
    images = _move(images, draws, augmentation)
    images = _relight(images, draws, augmentation)
    if augmentation.noise_stddev:
        stddev = augmentation.noise_stddev * tf.abs(_column(draws, _NOISE))
        noise_seed = tf.random.experimental.stateless_fold_in(seed, 1)
        # Evenly distributed within sqrt(3) standard deviations: a third of the time that normal numbers take.
        bound = math.sqrt(3.0)
        images += stddev * tf.random.stateless_uniform(tf.shape(images), noise_seed, -bound, bound)
    images = tf.clip_by_value(images, 0.0, 1.0)
    return _erase(images, draws, augmentation)


def _column(draws: tf.Tensor, index: int) -> tf.Tensor:
    return draws[:, index, None, None, None]  # (B, draws) -> (B, 1, 1, 1)


def _move(images: tf.Tensor, draws: tf.Tensor, augmentation: AugmentationConfig) -> tf.Tensor:
    """Rotate, shear and scale about the centre, then shift; the border's pixels continue outwards."""
    bounds = (augmentation.rotation_degrees, augmentation.shear_degrees, augmentation.scale, augmentation.translate)
    if not any(bounds):
        return images
    _, height, width, _ = images.shape
    angle = draws[:, _ROTATION] * math.radians(augmentation.rotation_degrees)
    shear = tf.tan(draws[:, _SHEAR] * math.radians(augmentation.shear_degrees))
    # The matrix leads from a pixel of the result to the one it is taken from, so growing divides.
    scale_x = 1 / (1 + augmentation.scale * draws[:, _SCALE_X])
    scale_y = 1 / (1 + augmentation.scale * draws[:, _SCALE_Y])
    a, b = scale_x * tf.cos(angle), scale_x * (shear * tf.cos(angle) - tf.sin(angle))
    c, d = scale_y * tf.sin(angle), scale_y * (shear * tf.sin(angle) + tf.cos(angle))
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    from_x = centre_x + augmentation.translate * width * draws[:, _SHIFT_X]
    from_y = centre_y + augmentation.translate * height * draws[:, _SHIFT_Y]
    zeros = tf.zeros_like(a)
    transforms = tf.stack(
        [a, b, from_x - a * centre_x - b * centre_y, c, d, from_y - c * centre_x - d * centre_y, zeros, zeros], axis=1
    )
    moved: tf.Tensor = tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=tf.constant([height, width]),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )
    return moved


def _relight(images: tf.Tensor, draws: tf.Tensor, augmentation: AugmentationConfig) -> tf.Tensor:
    if augmentation.contrast:
        mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
        images = mean + (images - mean) * (1 + augmentation.contrast * _column(draws, _CONTRAST))
    if augmentation.brightness:
        images += augmentation.brightness * _column(draws, _BRIGHTNESS)
    return images


def _erase(images: tf.Tensor, draws: tf.Tensor, augmentation: AugmentationConfig) -> tf.Tensor:
    """Paint a box in the image's mean grey over some images."""
    if not augmentation.erase_probability or not augmentation.erase_share:
        return images
    _, height, width, _ = images.shape
    chosen = (draws[:, _ERASE, None] + 1) / 2 < augmentation.erase_probability  # (B, 1)
    rows = _span(draws[:, _ERASE_Y], draws[:, _ERASE_HEIGHT], height, augmentation.erase_share)  # (B, H)
    columns = _span(draws[:, _ERASE_X], draws[:, _ERASE_WIDTH], width, augmentation.erase_share)  # (B, W)
    box = (rows & chosen)[:, :, None, None] & columns[:, None, :, None]  # (B, H, W, 1)
    return tf.where(box, tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True), images)


def _span(position: tf.Tensor, size: tf.Tensor, length: int, share: float) -> tf.Tensor:
    """Which of `length` pixels lie in a span of random centre and size: (B,) -> bool (B, length)."""
    centre = (position + 1) / 2 * length
    half = tf.abs(size) * share * length / 2
    return tf.abs(tf.range(length, dtype=tf.float32) + 0.5 - centre[:, None]) < half[:, None]
