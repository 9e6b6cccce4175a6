"""The class network with fastai: loaders and a network of one's own in a learner.

Source: https://docs.fast.ai/examples/migrating_pytorch.html
"""

from functools import partial

import clock  # clock
import torch
from fastai.vision.all import DataLoaders, LabelSmoothingCrossEntropy, Learner, OptimWrapper, accuracy
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

EPOCHS = clock.EPOCHS
torch.manual_seed(0)


def class_vgg():
    layers, channels = [], 1
    for item in (16, 0, 32, 0, 64, 64, 0, 128, 128, 0, 128, 128, 0):  # 0 is a pool
        if item == 0:
            layers += [nn.MaxPool2d(2)]
        else:
            layers += [nn.Conv2d(channels, item, 3, padding=1), nn.BatchNorm2d(item), nn.ReLU()]
            channels = item
    layers += [nn.Flatten(), nn.Linear(128, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)]
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


transform = transforms.Compose([transforms.Pad(2), transforms.ToTensor(), transforms.Normalize((0.2860,), (0.3530,))])
train_set = datasets.FashionMNIST("data", train=True, download=True, transform=transform)
test_set = datasets.FashionMNIST("data", train=False, download=True, transform=transform)
train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
test_loader = DataLoader(test_set, batch_size=64)
learn = Learner(
    DataLoaders(train_loader, test_loader),
    class_vgg(),
    loss_func=LabelSmoothingCrossEntropy(),
    opt_func=partial(OptimWrapper, opt=torch.optim.SGD, momentum=0.9, nesterov=True),
    metrics=accuracy,
)
watch = clock.of_module(learn.model)  # clock
learn.add_cb(clock.for_fastai(watch))  # clock
watch.start()  # clock
learn.fit_one_cycle(EPOCHS, lr_max=0.1, moms=(0.9, 0.9, 0.9))
watch.finish(learn.recorder.values[-1][-1])  # clock
