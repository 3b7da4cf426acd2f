"""A network as its phases train it: what is frozen, at which rates, on what loss."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator

import keras

from cnnzoo.builder import build
from cnnzoo.catalogue.labels import DATASETS, forms_of
from cnnzoo.catalogue.recipes import Recipe
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.errors import UsageError
from cnnzoo.lookup import fold
from cnnzoo.sources import find_source
from cnnzoo.training.batches import Batches
from cnnzoo.training.freezing import freeze, freeze_batch_norms, trainability
from cnnzoo.training.optimizers import make_optimizer
from cnnzoo.training.plan import Plan
from cnnzoo.training.schedules import Phase, shrunk
from cnnzoo.training.trunk import before, stage_ends, trunk_end
from cnnzoo.training.whitening import first_convolution, images_for, whiten

log = logging.getLogger("cnnzoo")


class PlannedNetwork:
    """The network of a plan, built with its weights; takes pixels 0 to 255.

    Args:
        say: Takes sentences about what of the weights is kept and what trains.

    Attributes:
        model: Never compiled, so that what is saved carries no optimizer.
    """

    def __init__(
        self, plan: Plan, class_names: tuple[str, ...], say: Callable[[str], object] = log.info
    ) -> None:
        self.recipe, self._say = plan.recipe, say
        self.pretrained = plan.weights is not None
        with dtype_policy(plan.recipe.precision):
            self.model = build(
                plan.network,
                weights=plan.weights,
                num_classes=len(class_names),
                input_shape=plan.input_shape,
                include_preprocessing=plan.recipe.pixels or True,
                **plan.options,
            )
        if self.pretrained and not knows(plan, class_names):
            name = _renew_classifier(self.model)
            say(f"{self.model.name}: the classifier {name!r} is new, for classes of its own.")
        if plan.recipe.precision != "float32":  # probabilities need more digits than 16 bits have
            self.model.layers[-1].dtype_policy = "float32"

    def initialise_from(self, batches: Batches) -> None:
        """Set what the recipe sets from the training images."""
        if self.recipe.whiten:
            whiten(self.model, batches.plain(images_for(batches.shape)))

    def enter(self, phase: Phase, steps: int) -> tuple[keras.Model, keras.optimizers.Optimizer]:
        """Freeze what the phase does not train; a compiled model on the same layers.

        Args:
            steps: Of the whole phase.
        """
        for layer in self.model.layers:
            layer.trainable = True
        if self.recipe.whiten:
            first_convolution(self.model).trainable = False
        if self.pretrained:
            self._freeze(phase)
            self._say(f"phase {phase.name}: {trainability(self.model).state}")
        trained = keras.Model(self.model.inputs, self.model.outputs)
        if not trained.trainable_variables:
            raise UsageError(
                f"freeze={self.recipe.freeze!r} leaves nothing to train. Name an earlier stage."
            )
        shares = self._shares() if self.recipe.stage_decay < 1 else None
        optimizer = make_optimizer(self.recipe, phase.rate, trained, steps, shares)
        self.optimizer, self._by_size = optimizer, {}
        height, width, _ = self.model.inputs[0].shape[1:]
        self._by_size[height, width] = self._compiled(trained)
        if self.recipe.first_size:
            self._check(*(shrunk(self.recipe, 0, side) for side in (height, width)))
        return trained, optimizer

    def of_size(self, height: int, width: int) -> keras.Model:
        """What `enter` compiled, for images of another size: the same layers and optimizer.

        Each size has a graph of its own, so that a run that is taken up computes as it would have.
        """
        if (height, width) not in self._by_size:
            image = keras.Input((height, width, self.model.inputs[0].shape[-1]))
            resized = keras.models.clone_model(
                self.model, input_tensors=image, clone_function=lambda layer: layer
            )
            self._by_size[height, width] = self._compiled(resized)
        return self._by_size[height, width]

    def _compiled(self, model: keras.Model) -> keras.Model:
        model.compile(
            self.optimizer,
            loss=make_loss(self.recipe),
            metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        )
        return model

    def _check(self, height: int, width: int) -> None:
        """Whether the network takes images of this size.

        Raises:
            UsageError: It does not.
        """
        try:
            self.of_size(height, width)
        except ValueError as error:
            raise UsageError(
                f"{self.model.name} cannot begin with images of {height} x {width}, as "
                f"first_size={self.recipe.first_size:g} wants: it takes one size only, or no such "
                "small one. Leave first_size out, or make it larger."
            ) from error

    def _freeze(self, phase: Phase) -> None:
        recipe = self.recipe
        if phase.name == "head":
            freeze(self.model, "trunk")
        elif recipe.freeze:
            freeze(self.model, upto_of(recipe.freeze), batch_norm=recipe.batch_norm)
        elif recipe.batch_norm == "frozen":
            freeze_batch_norms(self.model)

    def _shares(self) -> dict[str, float]:
        """Path of a variable -> its part of the rate, less for stages nearer to the image."""
        stages = list(stage_ends(self.model).values())
        ends = [self.model.get_layer(name).output for name in stages]
        last = trunk_end(self.model)
        cuts = [*ends, *([] if ends and ends[-1] is last else [last])]
        shares: dict[str, float] = {}
        for i, tensor in enumerate(cuts):
            share = self.recipe.stage_decay ** (len(cuts) - i)
            for layer in before(self.model, tensor):
                for variable in layer.trainable_variables:
                    shares.setdefault(variable.path, share)
        return shares


def upto_of(text: str) -> str | float:
    """What ``freeze`` of a recipe means: a fraction, or the name of a stage or layer."""
    try:
        return float(text)
    except ValueError:
        return text


def knows(plan: Plan, class_names: tuple[str, ...]) -> bool:
    """Whether the weights were trained for these very classes, so that their classifier is good.

    As many classes are not the same classes. Of a file of the user's own nobody knows them.
    """
    entry = find_source(plan.weights, get_spec(plan.network), include_top=True).entry
    if entry is None or entry.dataset not in DATASETS:
        return False
    given = list(map(fold, class_names))
    return any(given == list(map(fold, form)) for form in forms_of(entry.dataset))


def _renew_classifier(model: keras.Model) -> str:
    """Give the last layer with weights the values it would have in a new network; its name."""
    layer = [layer for layer in model.layers if layer.weights][-1]
    fresh = layer.__class__.from_config(layer.get_config())
    fresh.build(layer.input.shape)
    layer.set_weights(fresh.get_weights())
    return str(layer.name)


def make_loss(recipe: Recipe) -> keras.losses.Loss:
    """Cross-entropy of one-hot labels, with the label smoothing of the recipe."""
    return keras.losses.CategoricalCrossentropy(
        from_logits=recipe.loss == "softmax-twice", label_smoothing=recipe.label_smoothing
    )


@contextlib.contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Let layers made inside compute as ``name`` says."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
