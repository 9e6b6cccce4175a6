# What the text says of a class run in words; the stored logs' numbers carry their own facts.
chance = math.log(10)
assert len(by_hand) == 8, "eight steps, eight equal losses"
assert shallow_run.mean_loss(26, 75) < 1.5, "five layers learn from the first steps on"
assert abs(deep_run.mean_loss(101, 150) - chance) < 0.005, "eleven layers stand still"
assert abs(slow_run.mean_loss(26, 75) - chance) < 0.02 and abs(momentum_run.mean_loss(26, 75) - chance) < 0.02
suspects = [stored_run(f"suspect_{name}_seed{seed}") for name in ("lr", "momentum", "biases") for seed in range(3)]
assert all(abs(run.losses[-1][1] - chance) < 0.005 for run in suspects), "nine stored runs stand still"
assert {name: card[0] for name, card in board.items()} == {
    "loop and data": "cleared",
    "learning rate": "cleared",
    "no momentum": "cleared",
    "impatience": "partly",
    "initial weights": "guilty",
}, "the board closes all its cards"
assert abs(sum(impostor) / len(impostor) - 2.3029) < 0.0006, "the impostor prints the published loss"
assert len(test) == 10_000 and evaluate(deep, batches(test, 1000), pick_device())[1] == 0.1, "exactly a tenth is right"
assert freed_run.mean_loss(101, 150) < 1.3 and accuracy > 0.5, "He learns within 150 steps"
assert sum(on_the_map(side) < 0.5 for side in sides) == 2, "in the last block most of each kernel reads padding"
relus = torch.tensor([[v for kind, v in m if kind == "ReLU"] for m in measured]).mean(dim=0)
pools = torch.tensor([[v for kind, v in m if kind == "MaxPool2d"] for m in measured]).mean(dim=0)
assert relus[0] < 0.4 and (relus[5:] - 0.5).abs().max() < 0.03, "less than half at first, one half once they are alike"
assert pools.min() > 1.05, "the variance grows"
held = [signal_by_layer(fresh("he", seed=seed), images)[-1].spread / entering.sqrt() for seed in range(3)]
assert all(0.4 < ratio < 1 for ratio in held), "He holds within a factor of about two"
lost = signal_by_layer(fresh("xavier"), images)[-1].spread / entering.sqrt()
assert 0.001 < lost < 0.003, "Xavier loses almost three powers of ten"
deeper = [row.output_shape[1] for row in trace("VGG-19", image_size=32).rows if row.kind == "conv"]
padding = math.log10(math.prod(map(on_the_map, deeper))) / 2
assert abs(19 * math.log10(0.5) / 2 + 3) < 0.2 and abs(padding + 1) < 0.3, "three powers of ten, and the fourth"
assert signal_by_layer(dead, images)[-1].spread == 0, "a dead network answers the same to every image"
assert entering.sqrt() / signals[-1].spread > 1e4, "more than four powers of ten"
assert not any(run.escape for run in long_runs.values()), "nothing, with any seed"
assert all(run.spreads[-1][1] > 5 * run.spreads[0][1] for run in long_runs.values()), "the spread never stood still"
assert max(freed_run.step_losses[:3]) > 4, "the very first losses stand well above the first point"
