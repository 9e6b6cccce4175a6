# What the text says of a class run in words; the stored logs' numbers carry their own facts.
chance = math.log(10)
assert len(by_hand) == 8, "eight steps, eight equal losses"
assert shallow_run.mean_loss(101, 150) < 1.5, "five layers learn from the first steps on"
assert abs(deep_run.mean_loss(251, 300) - chance) < 0.005, "eleven layers stand still"
assert abs(slow_run.mean_loss(51, 150) - chance) < 0.02 and abs(momentum_run.mean_loss(51, 150) - chance) < 0.02
assert abs(sum(impostor) / len(impostor) - 2.3029) < 0.0006, "the impostor prints the published loss"
assert len(test) == 10_000 and evaluate(deep, batches(test, 1000), pick_device())[1] == 0.1, "exactly a tenth is right"
assert freed_run.mean_loss(251, 300) < 1.3 and accuracy > 0.5, "He learns within 300 steps"
assert sum(real_taps(side) < 0.5 for side in sides) == 2, "on the 2×2 maps of the last block most taps read padding"
assert entering.sqrt() / signals[-1].spread > 1e4, "more than four powers of ten"
assert not any(run.escape for run in long_runs.values()), "nothing, with any seed"
assert all(run.spreads[-1][1] > 5 * run.spreads[0][1] for run in long_runs.values()), "the spread never stood still"
assert max(freed_run.step_losses[:3]) > 4, "the very first losses stand near 6"
