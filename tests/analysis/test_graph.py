"""Walking a model: shapes, parents, nested models, other sizes."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from cnnzoo.analysis.graph import steps
from cnnzoo.analysis.measure import measure, sketch
from cnnzoo.errors import UsageError


def _small(shape=(8, 8, 3), name="small"):
    image = keras.Input(shape, name="image")
    x = layers.Conv2D(4, 3, name="conv")(image)
    return keras.Model(image, layers.Flatten(name="flat")(x), name=name)


def test_steps_follow_the_data_and_know_their_parents():
    image = keras.Input((8, 8, 3), name="image")
    a = layers.Conv2D(4, 3, padding="same", name="a")(image)
    b = layers.Conv2D(4, 1, name="b")(image)
    model = keras.Model(image, layers.Add(name="sum")([b, a]))
    walked = steps(model)
    names = [step.name for step in walked]
    assert names[0] == "image"
    assert sorted(names[1:3]) == ["a", "b"]
    assert [names[parent] for parent in walked[3].parents] == ["b", "a"]
    assert walked[3].inputs == ((None, 8, 8, 4), (None, 8, 8, 4))


def test_nested_models_are_opened_and_counted():
    inner = _small()
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, layers.Dense(2, name="out")(inner(image)))
    assert [s.name for s in steps(model)[1:]] == ["small/conv", "small/flat", "out"]
    facts = measure(model)
    assert facts.total_params == model.count_params()
    assert facts.macs == 6 * 6 * 9 * 3 * 4 + 6 * 6 * 4 * 2
    assert facts.depth_weighted == 2


def test_nested_model_is_seen_at_the_size_it_is_called_with():
    inner = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(4, 3, name="conv")])
    image = keras.Input((10, 12, 3))
    walked = steps(keras.Model(image, inner(image)))
    assert walked[-1].outputs == ((None, 8, 10, 4),)


def test_layer_used_twice_is_two_steps_and_one_set_of_parameters():
    shared = layers.Conv2D(3, 3, padding="same", name="shared")
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, shared(shared(image)))
    facts = measure(model)
    assert facts.total_params == 3 * 3 * 3 * 3 + 3
    assert facts.macs == 2 * 8 * 8 * 9 * 3 * 3
    assert facts.depth_weighted == 2
    assert facts.depth_parametric == 1


def test_sequential_model_is_walked_like_a_functional_one():
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.Flatten()])
    assert measure(model).macs == 6 * 6 * 9 * 3 * 4


def test_another_size_is_propagated_without_building_anew():
    model = sketch("resnet50", include_top=False)
    walked = steps(model, (64, 64, 3))
    assert walked[-1].outputs == ((None, 2, 2, 2048),)


def test_size_that_the_weights_do_not_fit_is_refused_by_layer():
    with pytest.raises(UsageError, match="'fc1' cannot take this input size"):
        steps(sketch("vgg16"), (64, 64, 3))


class _Subclassed(keras.Model):
    def call(self, x):
        return x


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (lambda: keras.Sequential([layers.Dense(2)]), "was never built"),
        (_Subclassed, "subclassed"),
        (lambda: "vgg16", "not a Keras model"),
        (lambda: layers.Dense(2), "not a Keras model"),
    ],
)
def test_what_has_no_graph_is_refused_with_what_to_do(model, says):
    with pytest.raises(UsageError, match=says):
        steps(model())
