"""What notebook 11 says of its own run."""

assert len(one.step_losses) == len(two.step_losses) == len(resumed.step_losses) == 20
assert apart < 0.1, "the same up to rounding, and what a pool makes of it"
assert sum(two.step_losses[-5:]) < 0.8 * sum(two.step_losses[:5]), "it learns, so the way is one worth comparing"
assert abs(one.step_losses[0] - two.step_losses[0]) < 1e-5, "rounding grows from a small beginning"
assert team[1].returncode != 0 and team[0].returncode == 1, "one was killed, and the other stopped"
assert max(abs(a - b) for a, b in zip(two.step_losses, resumed.step_losses, strict=True)) < 1e-3, "nobody can tell"
measured, _ = profiled(class_vgg(), 10)
assert measured["backward"] > measured["forward"] > 4 * measured["feed"], "backward is longer; feeding hardly shows"
assert delivered(batches(data, 64)) > 2 * delivered(data_loaders(64, 32, num_workers=0)[0]), "in memory is faster"
gains = [row.one / row.two for row in rows]
assert gains[0] > gains[1] > gains[2], "the smallest head gains most"
