"""What each family of weights expects of its pixels, as numbers.

Every rule starts from pixels in RGB (or grey), 0 to 255, and is
``(pixel[channel order] - mean) / scale``, one mean and one scale per channel.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """``(pixels - mean) / scale`` after an optional flip of RGB to BGR.

    Attributes:
        mean: Subtracted, in units of pixels (0 to 255), in the order of the channels fed.
        scale: Divisor per channel, in units of pixels.
        bgr: Whether blue comes first in what the network reads.
        note: Where the rule comes from.
    """

    name: str
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    bgr: bool = False
    note: str = ""

    def for_channels(self, channels: int) -> tuple[tuple[float, ...], tuple[float, ...], bool]:
        """Mean, scale and flip for an image of ``channels`` channels.

        Images that are not RGB have no colour order: they take the average of the three numbers.
        """
        if channels == len(self.mean):
            return self.mean, self.scale, self.bgr
        if len(self.mean) == 1:
            return self.mean * channels, self.scale * channels, False
        mean = sum(self.mean) / len(self.mean)
        scale = sum(self.scale) / len(self.scale)
        return (mean,) * channels, (scale,) * channels, False


_RULES = (
    Preprocessing(
        name="zero-one",
        mean=(0.0,),
        scale=(255.0,),
        note="pixels / 255",
    ),
    Preprocessing(
        name="raw-0-255",
        mean=(0.0,),
        scale=(1.0,),
        note="pixels as they are, unscaled",
    ),
    Preprocessing(
        name="minus-one-one",
        mean=(127.5,),
        scale=(127.5,),
        note='pixels / 127.5 - 1, the "tf" mode of keras.applications',
    ),
    Preprocessing(
        name="standardised",
        mean=(0.485 * 255, 0.456 * 255, 0.406 * 255),
        scale=(0.229 * 255, 0.224 * 255, 0.225 * 255),
        note='ImageNet mean and deviation, the "torch" mode of keras.applications',
    ),
    Preprocessing(
        name="standardised-cifar10",
        mean=(0.4914 * 255, 0.4822 * 255, 0.4465 * 255),
        scale=(0.2470 * 255, 0.2435 * 255, 0.2616 * 255),
        note="mean and deviation of the training images of CIFAR-10",
    ),
    Preprocessing(
        name="bgr-centred",
        mean=(103.939, 116.779, 123.68),
        scale=(1.0, 1.0, 1.0),
        bgr=True,
        note='BGR minus the ImageNet mean, the "caffe" mode of keras.applications',
    ),
    Preprocessing(
        name="bgr-centred-bvlc",
        mean=(104.0, 117.0, 123.0),
        scale=(1.0, 1.0, 1.0),
        bgr=True,
        note="BGR minus the rounded ImageNet mean, as the BVLC Caffe models were trained",
    ),
)

PREPROCESSING = {rule.name: rule for rule in _RULES}
