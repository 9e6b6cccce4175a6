"""What notebook 12 says of its own run and of the stored logs."""

default, he, plan, post = recipes.values()
assert set(default) == {0.1} and min(he) > 0.6, "guesses in three of three, learns in three of three"
assert min(plan) > 0.9, "passes 90 percent five times of five"
assert post == [0.9015]
assert 0.2 < passed / len(table) < 0.33, "about a quarter of the entries"
full_runs = last_accuracies("full", 3)
assert min(full_runs) > 0.95, "above the first plan's aim and the table's VGG16"
steps = [b - a for a, b in zip(stored["VGG blocks"], stored["Inception"], strict=True)]
assert max(steps) < 0 and min(steps) < -0.009 and sorted(steps)[-2] > -0.002, "all fall, one far and two hardly"
# Of the log: seconds on a wall clock depend on what else the machine does.
seconds = {old: sum(float(row["seconds"]) for row in rows if row["network"] == old) for old in names.values()}
assert seconds["small_inception"] > 1.2 * seconds["rival"], "equal multiplications are not equal seconds"
for name, accuracies in yours.items():
    for seed, accuracy in enumerate(accuracies):
        assert accuracy > 0.8, "both learn"
        assert abs(accuracy - stored[name][seed]) < 0.03, "the same run as the stored one"
