"""The class network in Keras on its PyTorch backend: layers, compile, fit.

Source: https://keras.io/getting_started/intro_to_keras_for_engineers/
"""

import os
from functools import partial  # clock

os.environ["KERAS_BACKEND"] = "torch"

import clock  # clock
import keras
import numpy as np
from keras import layers

EPOCHS = clock.EPOCHS
keras.utils.set_random_seed(0)


def class_vgg():
    model = keras.Sequential([keras.Input((32, 32, 1))])
    for item in (16, 0, 32, 0, 64, 64, 0, 128, 128, 0, 128, 128, 0):  # 0 is a pool
        if item == 0:
            model.add(layers.MaxPooling2D(2))
        else:
            model.add(layers.Conv2D(item, 3, padding="same", kernel_initializer="he_normal"))
            model.add(layers.BatchNormalization(momentum=0.9, epsilon=1e-5))
            model.add(layers.ReLU())
    model.add(layers.Flatten())
    for _ in range(2):
        model.add(layers.Dense(512, activation="relu", kernel_initializer="he_normal"))
    model.add(layers.Dense(10, kernel_initializer="he_normal"))
    return model


def prepare(images):
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    return np.expand_dims((padded.astype("float32") / 255 - 0.2860) / 0.3530, -1)


(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
x_train, x_test = prepare(x_train), prepare(x_test)
y_train, y_test = keras.utils.to_categorical(y_train, 10), keras.utils.to_categorical(y_test, 10)
model = class_vgg()
steps = EPOCHS * len(x_train) // 64
schedule = keras.optimizers.schedules.CosineDecay(
    0.0, decay_steps=steps - steps // 4, warmup_target=0.1, warmup_steps=steps // 4
)
model.compile(
    optimizer=keras.optimizers.SGD(schedule, momentum=0.9, nesterov=True),
    loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
    metrics=["accuracy"],
)
watch = clock.Clock(lambda images: model(images.permute(0, 2, 3, 1), training=False))  # clock
model.fit = partial(model.fit, callbacks=[clock.for_keras(watch)])  # clock
watch.start()  # clock
model.fit(x_train, y_train, batch_size=64, epochs=EPOCHS)
loss, accuracy = model.evaluate(x_test, y_test)
watch.finish(accuracy)  # clock
