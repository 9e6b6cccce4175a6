"""What notebook 04 says of its own run."""

assert train.labels.bincount().tolist() in ([6000] * 10, train.labels[:8000].bincount().tolist())
slowest, fastest = feeds["PIL, 224 pixels"], feeds["in memory, 32 pixels"]
assert slowest > 20 * fastest, "the first bar and the last differ most"
assert fastest < step / 5, "from memory, the network hardly waits"
assert slowest > step / 10, "through PIL at 224 the wait is no longer small beside such a step"
assert torch.equal(back.round(), shirt[0].float()), "every grey value is back"
assert sorted(tops.labels.unique().tolist()) == [0, 2, 4, 6], "each of the four classes occurs"
