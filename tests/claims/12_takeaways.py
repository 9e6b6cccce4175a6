"""What notebook 12 says of its own run and of the stored logs."""

default, he, plan, post = recipes.values()
assert set(default) == {0.1} and min(he) > 0.6, "guesses in three of three, learns in three of three"
assert min(plan) > 0.9, "passes 90 percent five times of five"
assert post == [0.9015]
candidates = [read_log(f"search_{name}")[1][-1] for name in ("small", "erased", "wide_erased", "wide")]
one_view = [float(row["validation_accuracy"]) for row in candidates]
assert all(float(row["flip"]) > one for row, one in zip(candidates, one_view, strict=True)), "views pay for each"
assert all(float(row["flip+shift"]) > one for row, one in zip(candidates, one_view, strict=True)), "ten as well"
assert max(one_view) - min(one_view) < (0.95 * 0.05 / 5000) ** 0.5, "gaps smaller than the judge's error"
assert one_view[3] == max(one_view) and float(candidates[3]["flip+shift"]) > 0.95, "the last was chosen"
full_runs = last_accuracies("full", 3)
assert min(full_runs) > 0.935 and sum(full_runs) / 3 < 0.95, "below the aim, above the table's VGG16"
assert gap.holds_zero and gap.high < 0.25, "the interval still reaches past zero, if barely"
steps = [b - a for a, b in zip(stored["VGG blocks"], stored["Inception"], strict=True)]
assert sum(step < 0 for step in steps) == 5 and steps[2] > 0, "five of six lines fall, one rises"
assert -0.018 < steps[1] < -0.015, "by more than a point and a half"
# Of the log: seconds on a wall clock depend on what else the machine does.
seconds = {old: sum(float(row["seconds"]) for row in rows if row["network"] == old) for old in names.values()}
assert seconds["small_inception"] > 1.4 * seconds["rival"], "equal multiplications are not equal seconds"
for name, histories in runs.items():
    for seed, history in enumerate(histories):
        assert len(history.step_losses) == 150
        assert history.last.validation_accuracy > 0.8, "both learn"
        assert abs(history.last.validation_accuracy - stored[name][seed]) < 0.03, "the same run as the stored one"
