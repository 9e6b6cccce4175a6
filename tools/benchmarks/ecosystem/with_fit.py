"""The class network with the lesson's own ``fit`` and plan, in float32 as the others."""

import clock  # clock
import torch

from vgg_lesson import PLANS, class_vgg, evaluate, fit, load_fashion_mnist

EPOCHS = clock.EPOCHS
torch.manual_seed(0)
train_set, test_set = load_fashion_mnist("train"), load_fashion_mnist("test")
model = class_vgg(dropout=0.0)
recipe = {**PLANS["class"].recipe, "precision": "fp32", "epochs": EPOCHS}
train_set = train_set.subset(clock.IMAGES)  # clock
watch = clock.of_module(model)  # clock
test_set = test_set.subset(len(watch.labels))  # clock
recipe |= {"callbacks": [lambda run: watch.tick(run.history.step_losses[-1])]}  # clock
watch.start()  # clock
fit(model, train_set, device="cpu", **recipe)
loss, accuracy = evaluate(model, test_set)
print(f"accuracy: {accuracy:.2%}")
watch.finish(accuracy)  # clock
