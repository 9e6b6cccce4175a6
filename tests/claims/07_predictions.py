"""What notebook 07 says of the shipped network."""

assert predictions.correct[:8].all(), "the grid shows no mistake"
assert 1111 in wrong[order[:8]], "a long one-shouldered dress filed under T-shirt/top"
assert predictions.confidence[wrong].median() < 0.7, "often it hesitated"
assert accuracy.max() > 0.97 and 0.7 < accuracy.min() < 0.8 and CLASSES[accuracy.argmin()] == "Shirt"
assert accuracy.min() + 0.05 < accuracy.sort().values[1], "the last place is safe"
mistakes = matrix - matrix.diag().diag()
assert mistakes.sum(dim=1).argmax() == shirt == mistakes.sum(dim=0).argmax(), "one row and one column are darkest"
footwear = [CLASSES.index(name) for name in ("Sandal", "Sneaker", "Ankle boot")]
assert mistakes[footwear].sum() - mistakes[footwear][:, footwear].sum() <= 3, "footwear with footwear"
assert min(duel("Shirt", rival) for rival in rivals) > 0.85, "each duel goes well"
assert predictions.confidence.mean() < predictions.accuracy - 0.05, "it is better than it says"
assert (predictions.confidence > 0.9).float().mean() < 0.2, "few get more than 0.9"
assert card["recipe"]["label_smoothing"] == 0.1
assert calibration(cooled).error < calibration(untouched).error / 2, "close to the line"
assert answers[0].max() > 0.2, "far more than one in ten"
assert (answers[2:4].argmax(dim=1) != test.labels[0]).all() and answers[4].argmax() == test.labels[0], "one boot"
assert negatives.accuracy < 0.4
