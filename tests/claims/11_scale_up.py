"""What notebook 11 says of its own run."""

assert len(one.step_losses) == len(team.step_losses) == len(resumed.step_losses) == 20
assert apart < 0.1, "the same up to rounding, and what a pool makes of it"
assert sum(team.step_losses[-5:]) < 0.8 * sum(team.step_losses[:5]), "it learns, so the way is one worth comparing"
assert abs(one.step_losses[0] - team.step_losses[0]) < 1e-5, "rounding grows from a small beginning"
assert pair[1].returncode != 0 and pair[0].returncode == 1, "one was killed, and the other stopped"
assert kept == 5 and "nobody can tell" in fig.killed_and_resumed(team, resumed, kept).axes[0].get_title(loc="left")
measured, _ = profiled(class_vgg(), 10)
assert measured["backward"] > measured["forward"] > 4 * measured["feed"], "backward is longer; feeding hardly shows"
assert delivered(batches(data, 64)) > 2 * delivered(data_loaders(64, 32, num_workers=0)[0]), "in memory is faster"
gains = [row.one / row.two for row in rows]
assert gains[0] > gains[1] > gains[2], "the smallest head gains most"
