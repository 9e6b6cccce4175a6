"""What notebook 04 says of its own run."""

assert train.labels.bincount().tolist() in ([6000] * 10, train.labels[:8000].bincount().tolist())
assert feeds["PIL, 224 pixels"] > feeds["in memory, 224 pixels"], "at equal size, PIL is the slower way"
assert feeds["PIL, 32 pixels"] > 3 * feeds["in memory, 32 pixels"], "at equal size, PIL is the slower way"
assert slowest > 20 * fastest, "the race has a clear winner"
assert fastest < step / 5, "from memory, the network does not wait"
assert sorted(tops.labels.unique().tolist()) == [0, 2, 4, 6], "each of the four classes occurs"
