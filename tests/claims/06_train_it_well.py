"""What notebook 06 says of its own run."""

reached = {name.strip(" …+"): right[name, 0].float().mean().item() for name in log}
thrown = log["momentum, lr 0.1"].step_losses[-1]
assert reached["momentum, lr 0.1"] < 0.2, "it has learned nothing"
assert math.isnan(thrown) or abs(thrown - math.log(10)) < 0.05, "guessing, or not a number"
assert min(reached["plain SGD"], reached["momentum, lr 0.01"]) > 0.6, "divide by ten and the network learns"
assert reached["batch norm"] > reached["momentum, lr 0.01"], "ahead, on one seed"
assert reached["default init"] > 0.75, "batch norm makes the default initialisation harmless"
assert 0.2 < reached["lr 0.1"] < reached["batch norm"] - 0.03, "it survives, but it lags behind"
assert reached["one cycle to 0.1"] > reached["lr 0.1"] + 0.05, "a schedule makes large rates pay"
gain, twice = compare("  … and flips", "+ one cycle to 0.1")
assert gain < twice, "no gain that the log could tell from luck"
assert not any(run.ending for name, run in log.items() if name != "momentum, lr 0.1"), "every trial is over"
assert test_accuracy > 0.9015, "past the post's final accuracy"
assert reached["no dropout"] > reached["one cycle to 0.1"], "a cure has a price"
assert history.last.train_accuracy < history.last.validation_accuracy, "training below validation"
assert history.last.train_accuracy < accuracy(dropout=0.0), "the mean of an epoch remembers its beginning"
silenced = accuracy(dropout=0.0) - accuracy(dropout=0.5)
assert 0 < silenced < accuracy(dropout=0.0) - history.last.train_accuracy, "a little more"
ends = {
    scheme: torch.tensor([run.accuracies[-1][1] for name, run in stored.items() if scheme in name])
    for scheme in ("He", "Xavier")
}
assert abs(ends["He"].mean() - ends["Xavier"].mean() - 0.10) < 0.005, "ten points higher"
assert abs(sum(values.var() / len(values) for values in ends.values()).sqrt() - 0.07) < 0.005, "with an error of seven"
