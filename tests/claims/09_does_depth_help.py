"""What notebook 09 says of the stored runs in words, and of its own."""

assert len({max(DEPTHS, key=lambda name: scores[name][seed]) for seed in range(5)}) > 1, "first place changes hands"
assert all(run.accuracy > 0.8 for depth in DEPTHS for run in runs[f"{depth} plain, lr 0.01"]), "He: all four learn"
stalled = [run for depth in DEPTHS for run in runs[f"{depth} plain, default init, lr 0.01"]]
assert all(abs(loss - math.log(10)) < 0.02 for run in stalled for _, loss in run.losses), "default: none does"
he, default = signals["He"], signals["PyTorch's default"]
assert all(layers[-1].spread > 0.05 for layers in he.values()), "nearly level, at any depth"
ends = [default[depth][-1].spread for depth in DEPTHS]
assert ends == sorted(ends, reverse=True) and ends[-1] < 1e-7, "a deeper one goes further down the same line"
assert 0.03 < disagree < 0.07 and error < 0.3, "as much as the luck of a run"
assert all(0.6 < mean(yours[name]) < mean(scores[name]) for name in yours), "short runs learn, and stay behind"
assert not difference(scores["VGG-13"], scores["VGG-11"]).holds_zero, "VGG-13 is told apart from VGG-11"
assert not difference(scores["VGG-13"], scores["VGG-19"]).holds_zero, "and from VGG-19"
long = {name: scores[f"{name}, 4 epochs"] for name in ("VGG-11", "VGG-16")}
assert min(long["VGG-16"]) > max(long["VGG-11"]), "each of its three runs lies above each of VGG-11's"
assert difference(long["VGG-16"], long["VGG-11"]).holds_zero, "and still the rule does not call them apart"
assert sorted(accuracy < 0.11 for accuracy in scores["VGG-16 plain"]) == [False, True, True], "one learns, two do not"
assert all(accuracy > 0.8 for accuracy in scores["VGG-11 plain"])
