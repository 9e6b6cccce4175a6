"""The class network with Lightning: a module that says what a step is, and a trainer.

Source: https://lightning.ai/docs/pytorch/stable/common/lightning_module.html
"""

import clock  # clock
import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

EPOCHS = clock.EPOCHS
L.seed_everything(0)


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


class LitVGG(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.model = class_vgg()
        self.loss = nn.CrossEntropyLoss(label_smoothing=0.1)

    def forward(self, images):
        return self.model(images)

    def training_step(self, batch, batch_idx):
        images, labels = batch
        loss = self.loss(self(images), labels)
        self.log("train_loss", loss)
        return loss

    def test_step(self, batch, batch_idx):
        images, labels = batch
        self.log("test_acc", (self(images).argmax(1) == labels).float().mean())

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9, nesterov=True)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=0.1,
            total_steps=self.trainer.estimated_stepping_batches,
            pct_start=0.25,
            cycle_momentum=False,
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


transform = transforms.Compose([transforms.Pad(2), transforms.ToTensor(), transforms.Normalize((0.2860,), (0.3530,))])
train_set = datasets.FashionMNIST("data", train=True, download=True, transform=transform)
test_set = datasets.FashionMNIST("data", train=False, download=True, transform=transform)
train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
test_loader = DataLoader(test_set, batch_size=64)
model = LitVGG()
trainer = L.Trainer(max_epochs=EPOCHS, accelerator="cpu")
watch = clock.of_module(model)  # clock
trainer.callbacks.append(clock.for_lightning(watch))  # clock
watch.start()  # clock
trainer.fit(model, train_loader)
result = trainer.test(model, test_loader)
watch.finish(result[0]["test_acc"])  # clock
