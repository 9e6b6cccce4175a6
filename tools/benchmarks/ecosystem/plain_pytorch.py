"""The class network in plain PyTorch, as its quickstart writes a training.

Source: https://docs.pytorch.org/tutorials/beginner/basics/quickstart_tutorial.html
"""

import clock  # clock
import torch
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


def train(loader, model):
    model.train()
    for batch, (images, labels) in enumerate(loader):
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        scheduler.step()
        watch.tick(loss)  # clock
        if batch % 100 == 0:
            print(f"loss: {loss.item():.4f}, batch {batch}")


def test(loader, model):
    model.eval()
    correct = 0
    with torch.no_grad():
        for images, labels in loader:
            correct += (model(images).argmax(1) == labels).sum().item()
    return correct / len(loader.dataset)


transform = transforms.Compose([transforms.Pad(2), transforms.ToTensor(), transforms.Normalize((0.2860,), (0.3530,))])
train_set = datasets.FashionMNIST("data", train=True, download=True, transform=transform)
test_set = datasets.FashionMNIST("data", train=False, download=True, transform=transform)
train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
test_loader = DataLoader(test_set, batch_size=64)
model = class_vgg()
loss_fn = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
scheduler = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, max_lr=0.1, total_steps=EPOCHS * len(train_loader), pct_start=0.25, cycle_momentum=False
)
watch = clock.of_module(model)  # clock
watch.start()  # clock
for _ in range(EPOCHS):
    train(train_loader, model)
accuracy = test(test_loader, model)
print(f"accuracy: {accuracy:.2%}")
watch.finish(accuracy)  # clock
