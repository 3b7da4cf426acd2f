"""From a name to a Keras model: the one place where spec, layers and weights meet."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import keras
from keras import layers

from cnnzoo import arguments
from cnnzoo.catalogue.preprocessing import PREPROCESSING
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.catalogue.spec import Choice, ModelSpec
from cnnzoo.errors import UsageError
from cnnzoo.lookup import resolve
from cnnzoo.models.layers import PixelNormalization
from cnnzoo.pretrained.blank import blank_variables
from cnnzoo.sources import check_fit, fill, find_source, options_for

MAX_CLASSES = 1_000_000  # a dense layer on 4096 features would already take 16 GB
POOLINGS = {"avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}


def build(
    architecture: str | ModelSpec,
    /,
    *,
    weights: str | os.PathLike[str] | None = None,
    include_top: bool = True,
    num_classes: int | None = None,
    classes: int | None = None,
    input_shape: tuple[int | None, ...] | None = None,
    input_tensor: Any = None,
    pooling: str | None = None,
    classifier_activation: str | Callable[..., Any] | None = "softmax",
    include_preprocessing: bool | str = False,
    name: str | None = None,
    **options: Any,
) -> keras.Model:
    """The network of the paper as a flat functional Keras model.

    ``(N, height, width, channels) -> (N, num_classes)``; without top ``(N, h, w, filters)``, or
    ``(N, filters)`` with ``pooling``. Shapes are channels first under
    ``keras.config.set_image_data_format("channels_first")``.

    Args:
        architecture: A name of ``cnnzoo.list_models()``; case, ``-``, ``_`` are forgiven.
        weights: ``None`` for the initialisation of Keras, a tag of ``cnnzoo info NAME`` such as
            ``"imagenet"``, or the path of a file. A tag brings the options that its file fits.
        include_top: Whether the classifier is part of the network.
        num_classes: Outputs of the classifier; the paper's number unless given. With weights for
            another number the classifier stays new, everything before it is loaded.
        classes: The same argument under the name ``keras.applications`` uses.
        input_shape: Height and width in pixels and channels, in the order of Keras' data format.
            Without a top that flattens, height and width may be ``None``.
        input_tensor: A Keras tensor to build upon, instead of a new input.
        pooling: Without top: ``None``, ``"avg"`` or ``"max"`` over the last feature map.
        classifier_activation: Of the last layer; ``None`` gives logits.
        include_preprocessing: Let the network take RGB pixels 0 to 255 and normalise them itself,
            by its own rule, or by one of another name that ``cnnzoo info`` shows.
            Without it, feed ``cnnzoo.preprocess_input(pixels, architecture, weights=weights)``.
        name: Of the Keras model; never chooses a weight file.
        **options: The network's own options, see ``cnnzoo info NAME``.

    Raises:
        UnknownNameError: No network is called so.
        UnknownOptionError: The network has no such option.
        UsageError: An argument cannot work; the message names what would.
        DownloadError, IntegrityError, StorageError: The weights cannot be had.
        WeightsError: The weights do not fit the network.
    """
    spec = get_spec(architecture)
    arguments.check_flag("include_top", include_top)
    source = None if weights is None else find_source(weights, spec, include_top)
    choices = spec.choose(options if source is None else options_for(source, spec, options))
    own_rule = arguments.preprocessing(include_preprocessing)
    arguments.check_name(name)
    outputs = arguments.class_count(num_classes, classes, include_top, MAX_CLASSES)
    arguments.check_pooling(pooling, include_top, POOLINGS)
    activation = arguments.activation(classifier_activation, include_top)
    image = _image(spec, choices, include_top, input_shape, input_tensor)
    rule = spec.preprocessing
    if source is not None:
        check_fit(source, spec, image, include_top)
        rule = source.preprocessing(spec)

    x = _normalize(image, own_rule or rule) if include_preprocessing else image
    count = outputs or (source and source.classes) or spec.num_classes
    settings = {option: choice.value for option, choice in choices.items()}
    inputs = image if input_tensor is None else keras.utils.get_source_inputs(image)
    # Numbers that a file will replace are not drawn.
    with nullcontext() if source is None else blank_variables() as pending:
        features = resolve(spec.trunk)(x, **settings)
        if include_top:
            output = resolve(spec.top)(features, count, activation, **settings)
        else:
            output = POOLINGS[pooling](name=f"{pooling}_pool")(features) if pooling else features
        if settings.get("aux") is True and spec.auxiliary is not None:
            trunk = keras.Model(inputs, features)
            more = resolve(spec.auxiliary)(
                lambda layer: trunk.get_layer(layer).output,
                outputs or spec.num_classes,
                activation,
                **settings,
            )
            output = [output, *more]
    model = keras.Model(inputs, output, name=name or spec.name)
    if source is not None:
        classifier = model.output_names if include_top else ()
        fill(model, source, spec, classifier, outputs is not None, pending)
    return model


def _image(
    spec: ModelSpec,
    choices: dict[str, Choice],
    include_top: bool,
    input_shape: tuple[int | None, ...] | None,
    input_tensor: Any,
) -> Any:
    """The tensor the network starts from, its shape checked."""
    aux = "aux" in choices and choices["aux"].value is True
    if aux and not include_top:
        raise UsageError(
            f"aux=True of {spec.name} adds classifiers, so include_top=False cannot be had "
            "with it. Leave one of the two out."
        )
    shape = arguments.image_shape(
        input_shape,
        input_tensor,
        default=spec.shape_for(choices),
        min_size=spec.min_size_for(choices),
        known_size=include_top and (spec.flat_top or aux),
        network=spec.name,
        smaller=arguments.smaller_forms(spec, choices),
    )
    return keras.Input(shape, name="image") if input_tensor is None else input_tensor


def _normalize(image: Any, rule: str) -> Any:
    channels = image.shape[-1 if keras.config.image_data_format() == "channels_last" else 1]
    mean, scale, bgr = PREPROCESSING[rule].for_channels(channels)
    layer: Any = PixelNormalization
    return layer(mean, scale, bgr, name="pixels")(image)
